// Token sequences: gathers with an addition, and what undoes them (model/Ops/Tokens). blockIdx.x is a row and
// blockIdx.y 128 columns; where rows are summed, blockIdx.x is 128 columns and blockIdx.y a leaf. Bytes: every row
// once; summed rows (class token, mask token, positions) once a leaf.
#include "../include/device.cuh"

/// x [S*(K+1), D] from patches [S*K, D].
GLOBAL BOUNDS(128, 8) void tokens_embed(float* __restrict__ x, const float* __restrict__ patches,
                                        const float* __restrict__ cls, const float* __restrict__ pos,
                                        const int* __restrict__ index, int kept, int d)
{
    int c = block_y() * threads_x() + thread_x(), row = block_x(), s = row / (kept + 1), i = row - s * (kept + 1);
    if (c >= d) return;
    int patch = s * kept + i - 1;
    x[(long)row * d + c] =
        i == 0 ? cls[c] + pos[c] : patches[(long)patch * d + c] + pos[(long)(1 + index[patch]) * d + c];
}

/// dPatches [S*K, D] from dx [S*(K+1), D].
GLOBAL BOUNDS(128, 8) void tokens_embed_backward(float* __restrict__ dPatches, const float* __restrict__ dx, int kept,
                                                 int d)
{
    int c = block_y() * threads_x() + thread_x(), row = block_x(), s = row / kept;
    if (c >= d) return;
    dPatches[(long)row * d + c] = dx[(long)(row + s + 1) * d + c];
}

/// dPos [leaves, 1+P, D] goes on; blockIdx.y = leaf * (1+P) + position; sequences: those of a leaf.
GLOBAL BOUNDS(128, 8) void tokens_positions_backward(float* __restrict__ dPos, const float* __restrict__ dx,
                                                     const int* __restrict__ index, int sequences, int kept,
                                                     int positions, int d)
{
    int c = block_x() * threads_x() + thread_x(), leaf = block_y() / positions, at = block_y() - leaf * positions;
    if (c >= d) return;
    float acc = dPos[(long)block_y() * d + c];
    for (int s = leaf * sequences; s < (leaf + 1) * sequences; s++)
        for (int i = 0; i <= kept; i++)
            if (i == 0 ? at == 0 : 1 + index[s * kept + i - 1] == at)
                acc = acc + dx[((long)s * (kept + 1) + i) * d + c];
    dPos[(long)block_y() * d + c] = acc + 0.0f;
}

/// z [S*(P+1), D] from y [S*(K+1), D].
GLOBAL BOUNDS(128, 8) void tokens_restore(float* __restrict__ z, const float* __restrict__ y,
                                          const float* __restrict__ maskToken, const float* __restrict__ pos,
                                          const int* __restrict__ restore, int kept, int patches, int d)
{
    int c = block_y() * threads_x() + thread_x(), row = block_x(), s = row / (patches + 1), l = row - s * (patches + 1);
    if (c >= d) return;
    int place = l == 0 ? 0 : 1 + restore[s * patches + l - 1];
    z[(long)row * d + c] =
        (place <= kept ? y[((long)s * (kept + 1) + place) * d + c] : maskToken[c]) + pos[(long)l * d + c];
}

/// dy [S*(K+1), D] from dz [S*(P+1), D]; blockIdx.x walks dz's rows.
GLOBAL BOUNDS(128, 8) void tokens_restore_backward(float* __restrict__ dy, const float* __restrict__ dz,
                                                   const int* __restrict__ restore, int kept, int patches, int d)
{
    int c = block_y() * threads_x() + thread_x(), row = block_x(), s = row / (patches + 1), l = row - s * (patches + 1);
    if (c >= d) return;
    int place = l == 0 ? 0 : 1 + restore[s * patches + l - 1];
    if (place <= kept) dy[((long)s * (kept + 1) + place) * d + c] = dz[(long)row * d + c];
}

/// dMaskToken [leaves, D] goes on over a leaf's masked rows, ascending.
GLOBAL BOUNDS(128, 8) void tokens_mask_backward(float* __restrict__ dMaskToken, const float* __restrict__ dz,
                                                const int* __restrict__ restore, int sequences, int kept, int patches,
                                                int d)
{
    int c = block_x() * threads_x() + thread_x(), leaf = block_y();
    if (c >= d) return;
    float acc = dMaskToken[(long)leaf * d + c];
    for (int s = leaf * sequences; s < (leaf + 1) * sequences; s++)
        for (int l = 0; l < patches; l++)
            if (restore[s * patches + l] >= kept) acc = acc + dz[((long)s * (patches + 1) + l + 1) * d + c];
    dMaskToken[(long)leaf * d + c] = acc + 0.0f;
}

/// y [S, D] = mean of rows 1..N-1 of a sequence: a chain, + (+0), one division.
GLOBAL BOUNDS(128, 8) void pool_forward(float* __restrict__ y, const float* __restrict__ x, int tokens, int d)
{
    int c = block_y() * threads_x() + thread_x(), s = block_x();
    if (c >= d) return;
    float acc = 0.0f;
#pragma unroll 4
    for (int t = 1; t < tokens; t++) acc = acc + x[((long)s * tokens + t) * d + c];
    y[(long)s * d + c] = (acc + 0.0f) / (float)(tokens - 1);
}

GLOBAL BOUNDS(128, 8) void pool_backward(float* __restrict__ dx, const float* __restrict__ dy, int tokens, int d)
{
    int c = block_y() * threads_x() + thread_x(), row = block_x(), s = row / tokens;
    if (c >= d) return;
    dx[(long)row * d + c] = row == s * tokens ? 0.0f : dy[(long)s * d + c] / (float)(tokens - 1);
}
