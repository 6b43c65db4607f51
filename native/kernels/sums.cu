// Sums over rows: column sums as chains (one thread a column, blockIdx.y a leaf), T over leaves, the squared norm of a
// tensor. Bytes: every input once.
#include "../include/lanes.cuh"

/// acc [leaves, C] goes on over rows first, first + step, ... of the leaf's rows.
GLOBAL BOUNDS(64, 8) void column_sum(float* __restrict__ acc, const float* __restrict__ x, int rows, int cols,
                                     int first, int step)
{
    int c = block_x() * threads_x() + thread_x(), leaf = block_y();
    if (c >= cols) return;
    const float* from = x + (long)leaf * rows * cols + c;
    float a = acc[(long)leaf * cols + c];
#pragma unroll 4
    for (int r = first; r < rows; r += step) a = a + from[(long)r * cols];
    acc[(long)leaf * cols + c] = a + 0.0f;
}

/// out[i] = T over leaves of leaf[l*stride + i]: nodes without a sibling move up as they are (docs/NUMERICS.md, Words).
/// leaf is used up.
GLOBAL BOUNDS(256, 4) void tree_leaves(float* __restrict__ out, float* __restrict__ leaf, long n, long stride,
                                       int leaves)
{
    long i = (long)block_x() * threads_x() + thread_x();
    if (i >= n) return;
    for (int s = 1; s < leaves; s *= 2)
        for (int l = 0; l + s < leaves; l += 2 * s)
            leaf[l * stride + i] = leaf[l * stride + i] + leaf[(l + s) * stride + i];
    out[i] = leaf[i];
}

/// parts[row] = dot(row, row) by the 64 lanes.
GLOBAL BOUNDS(128, 8) void row_squares(float* __restrict__ parts, const float* __restrict__ x, int rows, int d)
{
    int row = warp_row(), lane = warp_lane();
    if (row >= rows) return;
    auto at = [&](int j) __attribute__((always_inline)) { return x[(long)row * d + j]; };
    float s = lane_dot(lane, d, at, at);
    if (lane == 0) parts[row] = s;
}

/// out[0] = T over parts, + (+0), by one block; parts are used up.
GLOBAL BOUNDS(256, 1) void tree_sum(float* __restrict__ out, float* __restrict__ parts, int n)
{
    for (int s = 1; s < n; s *= 2) {
        for (long i = (long)thread_x() * 2 * s; i + s < n; i += 512l * s) parts[i] = parts[i] + parts[i + s];
        barrier();
    }
    if (thread_x() == 0) out[0] = parts[0] + 0.0f;
}
