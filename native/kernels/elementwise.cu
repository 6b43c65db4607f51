// Maps over tensors: four consecutive elements a thread, 16 bytes at once where all pointers allow it. Outputs may be
// inputs. Bytes: what the tensors hold, once.
#include "../include/unary.cuh"

/// y[i] = f(i) for i < n: load4(i) and at(i) say how four elements or one are made.
template <class Four, class One>
DEVICE void map(float* y, long n, bool vector, Four four, One one)
{
    long i = 4 * ((long)block_x() * threads_x() + thread_x());
    if (vector && i + 4 <= n)
        *(f4*)(y + i) = four(i);
    else
        for (long end = i + 4 < n ? i + 4 : n; i < end; i++) y[i] = one(i);
}

#define LAMBDA [&](long i) __attribute__((always_inline))

DEVICE f4 read(const float* p, long i) { return *(const f4*)(p + i); }

GLOBAL BOUNDS(256, 4) void add(float* y, const float* a, const float* b, long n)
{
    map(
        y, n, aligned(y) && aligned(a) && aligned(b), LAMBDA { return read(a, i) + read(b, i); },
        LAMBDA { return a[i] + b[i]; });
}

GLOBAL BOUNDS(256, 4) void scale(float* y, const float* x, long n, float s)
{
    map(y, n, aligned(y) && aligned(x), LAMBDA { return read(x, i) * s; }, LAMBDA { return x[i] * s; });
}

DEVICE f4 gated(f4 x, f4 gate)
{
    return f4{gate.x > 0.0f ? x.x : 0.0f, gate.y > 0.0f ? x.y : 0.0f, gate.z > 0.0f ? x.z : 0.0f,
              gate.w > 0.0f ? x.w : 0.0f};
}

GLOBAL BOUNDS(256, 4) void relu(float* y, const float* x, const float* gate, long n)
{
    map(
        y, n, aligned(y) && aligned(x) && aligned(gate), LAMBDA { return gated(read(x, i), read(gate, i)); },
        LAMBDA { return gate[i] > 0.0f ? x[i] : 0.0f; });
}

/// erf may be null.
GLOBAL BOUNDS(256, 4) void gelu_forward(float* y, float* erf, const float* x, long n)
{
    long i = (long)block_x() * threads_x() + thread_x();
    if (i >= n) return;
    float e, v = gelu(x[i], e);
    y[i] = v;
    if (erf) erf[i] = e;
}

GLOBAL BOUNDS(256, 4) void gelu_backward_all(float* dx, const float* dy, const float* x, const float* erf, long n)
{
    long i = (long)block_x() * threads_x() + thread_x();
    if (i < n) dx[i] = gelu_backward(dy[i], x[i], erf[i]);
}

/// y = residual + branch/keep for a kept sample, residual + (+0) for a dropped one; without residual the second term
/// alone. each: elements of a sample.
GLOBAL BOUNDS(256, 4) void drop_path(float* y, const float* residual, const float* branch, const int* __restrict__ kept,
                                     long n, long each, float keep)
{
    long i = (long)block_x() * threads_x() + thread_x();
    if (i >= n) return;
    float b = kept[i / each] ? branch[i] / keep : 0.0f;
    y[i] = residual ? residual[i] + b : b;
}
