// AdamW and the teacher's average (docs/NUMERICS.md rule 9): elementwise, four elements a thread. Buffers are slices of
// a flat state: 64-byte aligned, so vectors always fit but for the last few elements. Bytes: AdamW 28 an element (p, g,
// m, v read; p, m, v written), the average 12.
#include "../include/device.cuh"

struct Scalars {
    float decay, oneMinusBeta1, beta2, oneMinusBeta2, rootCorrection, step, eps;
};

DEVICE void update(float& p, float& m, float& v, float g, const Scalars& s)
{
    float p1 = p * s.decay;
    m = fma(s.oneMinusBeta1, g - m, m);
    v = fma(s.oneMinusBeta2, g * g, s.beta2 * v);
    float d = root(v) / s.rootCorrection + s.eps;
    p = fma(-s.step, m / d, p1);
}

GLOBAL BOUNDS(256, 4) void adamw(float* __restrict__ p, float* __restrict__ m, float* __restrict__ v,
                                 const float* __restrict__ g, long n, Scalars s)
{
    long i = 4 * ((long)block_x() * threads_x() + thread_x());
    if (aligned(p) && aligned(m) && aligned(v) && aligned(g) && i + 4 <= n) {
        f4 p4 = *(f4*)(p + i), m4 = *(f4*)(m + i), v4 = *(f4*)(v + i), g4 = *(const f4*)(g + i);
#pragma unroll
        for (int e = 0; e < 4; e++) {
            float pe = p4[e], me = m4[e], ve = v4[e];
            update(pe, me, ve, g4[e], s);
            p4[e] = pe;
            m4[e] = me;
            v4[e] = ve;
        }
        *(f4*)(p + i) = p4;
        *(f4*)(m + i) = m4;
        *(f4*)(v + i) = v4;
    } else
        for (long end = i + 4 < n ? i + 4 : n; i < end; i++) update(p[i], m[i], v[i], g[i], s);
}

GLOBAL BOUNDS(256, 4) void average(float* __restrict__ e, const float* __restrict__ p, long n, float oneMinusDecay)
{
    long i = 4 * ((long)block_x() * threads_x() + thread_x());
    if (aligned(e) && aligned(p) && i + 4 <= n) {
        f4 old = *(f4*)(e + i), now = *(const f4*)(p + i);
#pragma unroll
        for (int k = 0; k < 4; k++) old[k] = fma(oneMinusDecay, now[k] - old[k], old[k]);
        *(f4*)(e + i) = old;
    } else
        for (long end = i + 4 < n ? i + 4 : n; i < end; i++) e[i] = fma(oneMinusDecay, p[i] - e[i], e[i]);
}
