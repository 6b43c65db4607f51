// The part of CUDA C++ that the kernels use, so that no toolkit is needed: clang's builtins under CUDA's names.
// Rules for every kernel (docs/NUMERICS.md): binary32 arithmetic by + - * /, sqrtf and fmaf alone, each rounded once;
// no contraction (-ffp-contract=off); no fast functions; maxima by compare and select; sums in the stated order;
// atomics on integers only.
#pragma once

#define GLOBAL extern "C" __attribute__((global))
#define DEVICE __attribute__((device, always_inline)) inline
#define SHARED __attribute__((shared))
#define BOUNDS(threads, blocks) __attribute__((launch_bounds(threads, blocks)))

using uint = unsigned int;
using ulong = unsigned long;
typedef float f4 __attribute__((ext_vector_type(4)));

DEVICE int thread_x() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE int block_x() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE int block_y() { return __nvvm_read_ptx_sreg_ctaid_y(); }
DEVICE int block_z() { return __nvvm_read_ptx_sreg_ctaid_z(); }
DEVICE int threads_x() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEVICE int blocks_x() { return __nvvm_read_ptx_sreg_nctaid_x(); }
DEVICE void barrier() { __syncthreads(); }
DEVICE float shuffle_xor(float x, int lanes) { return __nvvm_shfl_sync_bfly_f32(-1, x, lanes, 31); }
DEVICE ulong shuffle_xor(ulong x, int lanes)
{
    uint low = (uint)__nvvm_shfl_sync_bfly_i32(-1, (int)(uint)x, lanes, 31),
         high = (uint)__nvvm_shfl_sync_bfly_i32(-1, (int)(uint)(x >> 32), lanes, 31);
    return (ulong)high << 32 | low;
}

DEVICE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
DEVICE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
DEVICE float root(float x) { return __builtin_sqrtf(x); }
DEVICE double root(double x) { return __builtin_sqrt(x); }
DEVICE float larger(float a, float b) { return a > b ? a : b; }
DEVICE int at_most(int a, int b) { return a < b ? a : b; }

template <class To, class From>
DEVICE To bits(From x)
{
    return __builtin_bit_cast(To, x);
}

/// Whether a pointer can be read 16 bytes at a time.
DEVICE bool aligned(const void* p) { return ((ulong)p & 15) == 0; }
