// Cutting images into patches: copies (model/Ops/Patchify). One thread an element of the result, which is written in
// order. Bytes: 8 an element.
#include "../include/device.cuh"

/// out [S*K, C*p*p] in (channel, row, column) order, from images [S, C, size, size].
GLOBAL BOUNDS(256, 4) void patchify_embed(float* __restrict__ out, const float* __restrict__ images,
                                          const int* __restrict__ index, long n, int kept, int channels, int size,
                                          int patch)
{
    long i = (long)block_x() * threads_x() + thread_x();
    if (i >= n) return;
    int each = channels * patch * patch, row = i / each, e = i - (long)row * each, across = size / patch,
        at = index[row], s = row / kept;
    int c = e / (patch * patch), y = e / patch % patch, x = e % patch;
    out[i] = images[(((long)s * channels + c) * size + at / across * patch + y) * size + at % across * patch + x];
}

/// out [S*P, p*p*C] in (row, column, channel) order.
GLOBAL BOUNDS(256, 4) void patchify_target(float* __restrict__ out, const float* __restrict__ images, long n,
                                           int channels, int size, int patch)
{
    long i = (long)block_x() * threads_x() + thread_x();
    if (i >= n) return;
    int each = channels * patch * patch, row = i / each, e = i - (long)row * each, across = size / patch,
        patches = across * across, s = row / patches, at = row % patches;
    int y = e / (patch * channels), x = e / channels % patch, c = e % channels;
    out[i] = images[(((long)s * channels + c) * size + at / across * patch + y) * size + at % across * patch + x];
}
