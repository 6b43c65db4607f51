// A tensor's 128-bit digest (docs/NUMERICS.md rule 13): two sums modulo 2^64 of mixed (index, bits). Integer sums
// commute, so threads, warps and blocks add theirs in any order. Bytes: 4 an element.
#include "../include/device.cuh"

GLOBAL BOUNDS(256, 4) void digest(ulong* sums, const float* __restrict__ x, long n)
{
    ulong high = 0, low = 0;
    for (long i = (long)block_x() * threads_x() + thread_x(); i < n; i += (long)blocks_x() * threads_x()) {
        uint b = bits<uint>(x[i]);
        if ((b & 0x7fffffff) > 0x7f800000) b = 0x7fc00000;
        ulong v = ((ulong)i + 1) * 0x9E3779B97F4A7C15 ^ b * 0xD6E8FEB86659FD93;
        v = (v ^ v >> 32) * 0xD6E8FEB86659FD93;
        v ^= v >> 29;
        high += v;
        v *= 0x9FB21C651E98DF25;
        low += v ^ v >> 32;
    }
    for (int lanes = 16; lanes > 0; lanes >>= 1) {
        high += shuffle_xor(high, lanes);
        low += shuffle_xor(low, lanes);
    }
    if ((thread_x() & 31) == 0) {
        __nvvm_atom_add_gen_ll((long long*)sums, (long long)high);
        __nvvm_atom_add_gen_ll((long long*)sums + 1, (long long)low);
    }
}
