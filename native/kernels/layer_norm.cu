// Layer normalisation of rows (docs/NUMERICS.md rule 7). Forward and dx: one warp a row, the row read once from memory
// and again from the first-level cache. Parameter gradients: one thread a column, a chain over the rows of a leaf
// (blockIdx.y), ascending. Bytes: forward 8 an element; dx 12, or 16 with a residual; parameters 8.
#include "../include/lanes.cuh"
#include "../include/unary.cuh"

GLOBAL BOUNDS(128, 8) void layer_norm_forward(float* __restrict__ y, float* __restrict__ stats,
                                              const float* __restrict__ x, const float* __restrict__ weight,
                                              const float* __restrict__ bias, int rows, int d, float eps)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    const float* from = x + (long)row * d;
    float* to = y + (long)row * d;
    float mean = lane_sum(lane, d, [&](int j) __attribute__((always_inline)) { return from[j]; }) / (float)d;
    auto centred = [&](int j) __attribute__((always_inline)) { return from[j] - mean; };
    float rstd = rsqrt_cr(lane_dot(lane, d, centred, centred) / (float)d + eps);
    for (int j = lane; j < d; j += 32) to[j] = fma((from[j] - mean) * rstd, weight[j], bias[j]);
    if (lane == 0) {
        stats[2 * row] = mean;
        stats[2 * row + 1] = rstd;
    }
}

/// dx may be dy or residual; residual may be null.
GLOBAL BOUNDS(128, 8) void layer_norm_backward(float* dx, const float* dy, const float* __restrict__ x,
                                               const float* __restrict__ stats, const float* __restrict__ weight,
                                               const float* residual, int rows, int d)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    long at = (long)row * d;
    const float* from = dy + at;
    const float* values = x + at;
    float mean = stats[2 * row], rstd = stats[2 * row + 1];
    auto g = [&](int j) __attribute__((always_inline)) { return from[j] * weight[j]; };
    auto xhat = [&](int j) __attribute__((always_inline)) { return (values[j] - mean) * rstd; };
    float a = lane_sum(lane, d, g) / (float)d, b = lane_dot(lane, d, g, xhat) / (float)d;
    for (int j = lane; j < d; j += 32) {
        float v = rstd * ((g(j) - a) - xhat(j) * b);
        dx[at + j] = residual ? residual[at + j] + v : v;
    }
}

/// dWeight and dBias [leaves, d] go on; rows are those of one leaf.
GLOBAL BOUNDS(64, 8) void layer_norm_parameters(float* __restrict__ dWeight, float* __restrict__ dBias,
                                                const float* __restrict__ dy, const float* __restrict__ x,
                                                const float* __restrict__ stats, int rows, int d)
{
    int j = block_x() * threads_x() + thread_x(), leaf = block_y();
    if (j >= d) return;
    float w = dWeight[(long)leaf * d + j], b = dBias[(long)leaf * d + j];
#pragma unroll 4
    for (int r = leaf * rows; r < (leaf + 1) * rows; r++) {
        float g = dy[(long)r * d + j], xhat = (x[(long)r * d + j] - stats[2 * r]) * stats[2 * r + 1];
        w = fma(g, xhat, w);
        b = b + g;
    }
    dWeight[(long)leaf * d + j] = w + 0.0f;
    dBias[(long)leaf * d + j] = b + 0.0f;
}
