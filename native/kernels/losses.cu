// Losses and their gradients (docs/NUMERICS.md rule 9): one warp a row (patch or sample). Sums over the batch are T on
// the host, of one value a row. Bytes: every tensor once from memory; second passes over a row hit the first-level
// cache.
#include "../include/lanes.cuh"
#include "../include/unary.cuh"

#define AT [&](int j) __attribute__((always_inline))

/// t = (t - mean) / sqrt(var + 1e-6), var over n - 1, in place.
GLOBAL BOUNDS(128, 8) void patch_normalise(float* __restrict__ target, int rows, int n)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    float* t = target + (long)row * n;
    float mean = lane_sum(lane, n, AT { return t[j]; }) / (float)n;
    for (int j = lane; j < n; j += 32) t[j] = t[j] - mean;
    float sd = root(lane_dot(lane, n, AT { return t[j]; }, AT { return t[j]; }) / (float)(n - 1) + 1e-6f);
    for (int j = lane; j < n; j += 32) t[j] = t[j] / sd;
}

/// Rows of pred are tokens (row 0 of a sequence is the class token); loss [S, P].
GLOBAL BOUNDS(128, 8) void patch_loss(float* __restrict__ loss, float* __restrict__ dPred,
                                      const float* __restrict__ pred, const float* __restrict__ target,
                                      const int* __restrict__ restore, int rows, int patches, int n, int kept,
                                      float scale)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    int s = row / (patches + 1), l = row - s * (patches + 1), patch = s * patches + l - 1;
    const float* p = pred + (long)row * n;
    float* to = dPred + (long)row * n;
    if (l == 0 || restore[patch] < kept) {
        for (int j = lane; j < n; j += 32) to[j] = 0.0f;
        if (l > 0 && lane == 0) loss[patch] = 0.0f;
        return;
    }
    const float* t = target + (long)patch * n;
    float sum = lane_dot(lane, n, AT { return p[j] - t[j]; }, AT { return p[j] - t[j]; });
    for (int j = lane; j < n; j += 32) to[j] = (p[j] - t[j]) * scale;
    if (lane == 0) loss[patch] = sum / (float)n;
}

/// D(q, t) = 2 - 2 cos: dq = (k * (th - c*qh)) / |q|. dq may be neither q nor t.
GLOBAL BOUNDS(128, 8) void context_loss(float* __restrict__ loss, float* __restrict__ dq, const float* __restrict__ q,
                                        const float* __restrict__ t, int rows, int d, float k)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    const float* qr = q + (long)row * d;
    const float* tr = t + (long)row * d;
    float nq = larger(root(lane_dot(lane, d, AT { return qr[j]; }, AT { return qr[j]; })), 1e-12f);
    float nt = larger(root(lane_dot(lane, d, AT { return tr[j]; }, AT { return tr[j]; })), 1e-12f);
    float c = lane_dot(lane, d, AT { return qr[j] / nq; }, AT { return tr[j] / nt; });
    if (lane == 0) loss[row] = 2.0f - 2.0f * c;
    for (int j = lane; j < d; j += 32) dq[(long)row * d + j] = (k * (tr[j] / nt - c * (qr[j] / nq))) / nq;
}

/// dx may be x.
GLOBAL BOUNDS(128, 8) void cross_entropy(float* __restrict__ loss, float* dx, const float* x,
                                         const float* __restrict__ target, int rows, int n, float scale)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    const float* r = x + (long)row * n;
    const float* t = target + (long)row * n;
    float m = lane_largest(lane, n, AT { return r[j]; });
    float s = lane_sum(lane, n, AT { return exp_cr(r[j] - m); }), lse = log_cr(s);
    float l = 0.0f - lane_dot(lane, n, AT { return t[j]; }, AT { return (r[j] - m) - lse; });
    if (lane == 0) loss[row] = l;
    for (int j = lane; j < n; j += 32) dx[(long)row * n + j] = (exp_cr(r[j] - m) / s - t[j]) * scale;
}
