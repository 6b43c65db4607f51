// Softmax over the rows of attention's scores, in place, and its backward pass (docs/NUMERICS.md rule 6). One warp a
// row. Order: m = max, + (+0); e = cr_exp(s - m); p = e / sum(e) by the 64 lanes. Backward: ds = (p * (dp - dot(dp,
// p))) * scale. Bytes: a row is read and written once from memory; the passes in between hit the first-level cache.
#include "../include/lanes.cuh"
#include "../include/unary.cuh"

GLOBAL BOUNDS(128, 8) void softmax_forward(float* __restrict__ score, int rows, int n)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    float* s = score + (long)row * n;
    float m = lane_largest(lane, n, [&](int j) __attribute__((always_inline)) { return s[j]; });
    for (int j = lane; j < n; j += 32) s[j] = exp_cr(s[j] - m);
    float sum = lane_sum(lane, n, [&](int j) __attribute__((always_inline)) { return s[j]; });
    for (int j = lane; j < n; j += 32) s[j] = s[j] / sum;
}

/// dp becomes the gradient of the unscaled scores.
GLOBAL BOUNDS(128, 8) void softmax_backward(float* __restrict__ dp, const float* __restrict__ prob, int rows, int n,
                                            float scale)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    float* d = dp + (long)row * n;
    const float* p = prob + (long)row * n;
    float dot = lane_dot(
        lane, n, [&](int j) __attribute__((always_inline)) { return d[j]; },
        [&](int j) __attribute__((always_inline)) { return p[j]; });
    for (int j = lane; j < n; j += 32) d[j] = (p[j] * (d[j] - dot)) * scale;
}
