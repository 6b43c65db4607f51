// What the kernels of --math run-to-run share: pairs of bfloat16, products by tensor cores, an exponential that is good
// enough for 8 bits of mantissa. None of this is the contract exact-1: a tensor core's order of additions is NVIDIA's
// secret. The same device and libraries repeat their bits, no more is said.
#pragma once
#include "device.cuh"

typedef float f2 __attribute__((ext_vector_type(2)));

/// Two floats as bfloat16, rounded to nearest even; low lies first in memory.
DEVICE uint pack(float low, float high)
{
    uint d;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(d) : "f"(high), "f"(low));
    return d;
}

/// d [16, 8] += a [16, 16] b [16, 8]. With g = lane / 4 and t = lane % 4:
/// a holds (g, 2t..), (g + 8, 2t..), (g, 2t + 8..), (g + 8, 2t + 8..); b (2t.., g), (2t + 8.., g);
/// d (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1). Source: PTX ISA, matrix fragments for mma.m16n8k16.
DEVICE void multiply_add(float* d, const uint* a, uint b0, uint b1)
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// 2^x, relative error below 2^-21 (polynomial on [-1/2, 1/2], the series of exp(x ln 2)); 0 below -126. For x <= 100.
DEVICE float exp2_near(float x)
{
    float magic = 12582912.0f, r = (x + magic) - magic, f = x - r;
    float p = fma(
        fma(fma(fma(fma(fma(1.5403530e-4f, f, 1.3333558e-3f), f, 9.6181291e-3f), f, 5.5504109e-2f), f, 2.4022651e-1f),
            f, 6.9314718e-1f),
        f, 1.0f);
    return x < -126.0f ? 0.0f : bits<float>(bits<int>(p) + ((int)r << 23));
}
