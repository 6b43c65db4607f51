// What the device can do at most: fused multiply-adds from registers, on 16 independent chains a thread (latency 4
// times issue width, and room). Benchmarks are read as a share of it. Values go to 2 and stay there. Bytes: one value a
// thread.
#include "../include/device.cuh"

GLOBAL BOUNDS(256, 4) void fma_limit(float* __restrict__ sink, int turns)
{
    float x[16];
#pragma unroll
    for (int i = 0; i < 16; i++) x[i] = 1.0f + (float)(i + thread_x());
    for (int t = 0; t < turns; t++)
#pragma unroll
        for (int i = 0; i < 16; i++) x[i] = fma(x[i], 0.5f, 1.0f);
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 16; i++) sum = sum + x[i];
    sink[block_x() * threads_x() + thread_x()] = sum;
}
