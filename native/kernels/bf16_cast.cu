// Copies of tensors as bfloat16, for products by tensor cores (--math run-to-run). A thread makes eight.
// Bytes: 6 an element.
#include "../include/bf16.cuh"

typedef uint u4 __attribute__((ext_vector_type(4)));

/// to holds (n + 1) / 2 pairs and lies on 16 bytes; a last half is 0.
GLOBAL BOUNDS(256, 4) void bf16_cast(uint* __restrict__ to, const float* __restrict__ x, long n)
{
    long i = 8 * ((long)block_x() * threads_x() + thread_x());
    if (i + 8 <= n && aligned(x)) {
        f4 a = *(const f4*)(x + i), b = *(const f4*)(x + i + 4);
        *(u4*)(to + i / 2) = u4{pack(a.x, a.y), pack(a.z, a.w), pack(b.x, b.y), pack(b.z, b.w)};
    } else
        for (long end = i + 8 < n ? i + 8 : n; i < end; i += 2) to[i / 2] = pack(x[i], i + 1 < n ? x[i + 1] : 0.0f);
}
