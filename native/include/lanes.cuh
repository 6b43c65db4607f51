// Sums along a row (docs/NUMERICS.md rule 4) by one warp: element j belongs to virtual lane j mod 64; thread l keeps
// lanes l and l + 32. Then halves fold 32 (inside the thread), 16, 8, 4, 2, 1 (a butterfly: every thread has the sum),
// and +0 is added.
#pragma once
#include "device.cuh"

DEVICE float fold(float lower, float upper)
{
    float s = lower + upper;
    s = s + shuffle_xor(s, 16);
    s = s + shuffle_xor(s, 8);
    s = s + shuffle_xor(s, 4);
    s = s + shuffle_xor(s, 2);
    s = s + shuffle_xor(s, 1);
    return s + 0.0f;
}

/// Sum of f(0..n-1).
template <class F>
DEVICE float lane_sum(int lane, int n, F f)
{
    float lower = 0.0f, upper = 0.0f;
    int j = lane;
    for (; j + 32 < n; j += 64) {
        lower = lower + f(j);
        upper = upper + f(j + 32);
    }
    if (j < n) lower = lower + f(j);
    return fold(lower, upper);
}

/// Sum of f(j) * g(j), every lane one chain of fused multiply-adds.
template <class F, class G>
DEVICE float lane_dot(int lane, int n, F f, G g)
{
    float lower = 0.0f, upper = 0.0f;
    int j = lane;
    for (; j + 32 < n; j += 64) {
        lower = fma(f(j), g(j), lower);
        upper = fma(f(j + 32), g(j + 32), upper);
    }
    if (j < n) lower = fma(f(j), g(j), lower);
    return fold(lower, upper);
}

/// Maximum of f(0..n-1) by compare and select, + (+0). Of two zeros either may come out before the + (+0).
template <class F>
DEVICE float lane_largest(int lane, int n, F f)
{
    float m = f(lane < n ? lane : 0);
    for (int j = lane + 32; j < n; j += 32) m = larger(f(j), m);
    for (int step = 16; step > 0; step >>= 1) m = larger(shuffle_xor(m, step), m);
    return m + 0.0f;
}

/// The row of this warp, and the lane in it; blocks hold whole warps.
DEVICE int warp_row() { return block_x() * (threads_x() >> 5) + (thread_x() >> 5); }
DEVICE int warp_lane() { return thread_x() & 31; }
