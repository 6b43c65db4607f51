// Batch normalisation (docs/NUMERICS.md rule 8). One thread a channel; sums are a chain inside each grain and T over
// grains, whose nodes are folded in place in parts [grains, C] (a node without a sibling moves up as it is). Backward's
// parts are its result too: a grain's share of the parameter gradients. Bytes: forward 16 an element (x three times,
// y), backward 20; the heads are a hundredth of a step.
#include "../include/unary.cuh"

/// T over n values that lie stride apart; the values are used up.
DEVICE float tree(float* x, int n, int stride)
{
    for (int s = 1; s < n; s *= 2)
        for (int i = 0; i + s < n; i += 2 * s) x[(long)i * stride] = x[(long)i * stride] + x[(long)(i + s) * stride];
    return x[0] + 0.0f;
}

GLOBAL BOUNDS(64, 8) void batch_norm_forward(float* y, float* __restrict__ stats, float* __restrict__ runningMean,
                                             float* __restrict__ runningVar, const float* x,
                                             const float* __restrict__ weight, const float* __restrict__ bias,
                                             float* __restrict__ parts, int rows, int channels, int grain,
                                             float momentum, float eps)
{
    int c = block_x() * threads_x() + thread_x(), grains = rows / grain;
    if (c >= channels) return;
    for (int g = 0; g < grains; g++) {
        float sum = 0.0f;
#pragma unroll 4
        for (int r = g * grain; r < (g + 1) * grain; r++) sum = sum + x[(long)r * channels + c];
        parts[(long)g * channels + c] = sum + 0.0f;
    }
    float mean = tree(parts + c, grains, channels) / (float)rows;
    for (int g = 0; g < grains; g++) {
        float sum = 0.0f;
#pragma unroll 4
        for (int r = g * grain; r < (g + 1) * grain; r++) {
            float v = x[(long)r * channels + c] - mean;
            sum = fma(v, v, sum);
        }
        parts[(long)g * channels + c] = sum + 0.0f;
    }
    float squares = tree(parts + c, grains, channels), rstd = rsqrt_cr(squares / (float)rows + eps), w = weight[c],
          b = bias[c];
#pragma unroll 4
    for (int r = 0; r < rows; r++) y[(long)r * channels + c] = fma((x[(long)r * channels + c] - mean) * rstd, w, b);
    stats[c] = mean;
    stats[channels + c] = rstd;
    runningMean[c] = fma(momentum, mean - runningMean[c], runningMean[c]);
    runningVar[c] = fma(momentum, squares / (float)(rows - 1) - runningVar[c], runningVar[c]);
}

GLOBAL BOUNDS(64, 8) void batch_norm_evaluate(float* y, const float* x, const float* __restrict__ runningMean,
                                              const float* __restrict__ runningVar, const float* __restrict__ weight,
                                              const float* __restrict__ bias, int rows, int channels, float eps)
{
    int c = block_x() * threads_x() + thread_x();
    if (c >= channels) return;
    float mean = runningMean[c], rstd = rsqrt_cr(runningVar[c] + eps), w = weight[c], b = bias[c];
#pragma unroll 4
    for (int r = 0; r < rows; r++) y[(long)r * channels + c] = fma((x[(long)r * channels + c] - mean) * rstd, w, b);
}

/// parts [2, grains, C] is scratch for the trees; dWeight and dBias [grains, C] stay.
GLOBAL BOUNDS(64, 8) void batch_norm_backward(float* dx, float* __restrict__ dWeight, float* __restrict__ dBias,
                                              const float* dy, const float* __restrict__ x,
                                              const float* __restrict__ stats, const float* __restrict__ weight,
                                              float* __restrict__ parts, int rows, int channels, int grain)
{
    int c = block_x() * threads_x() + thread_x(), grains = rows / grain;
    if (c >= channels) return;
    float mean = stats[c], rstd = stats[channels + c];
    float* second = parts + (long)grains * channels;
    for (int g = 0; g < grains; g++) {
        float s1 = 0.0f, s2 = 0.0f;
#pragma unroll 4
        for (int r = g * grain; r < (g + 1) * grain; r++) {
            float d = dy[(long)r * channels + c];
            s1 = s1 + d;
            s2 = fma(d, (x[(long)r * channels + c] - mean) * rstd, s2);
        }
        long at = (long)g * channels + c;
        dBias[at] = parts[at] = s1 + 0.0f;
        dWeight[at] = second[at] = s2 + 0.0f;
    }
    float a = tree(parts + c, grains, channels) / (float)rows, b = tree(second + c, grains, channels) / (float)rows,
          k = weight[c] * rstd;
#pragma unroll 4
    for (int r = 0; r < rows; r++) {
        long at = (long)r * channels + c;
        dx[at] = k * ((dy[at] - a) - ((x[at] - mean) * rstd) * b);
    }
}
