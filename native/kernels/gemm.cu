// Matrix products c = a b: every element one chain acc = fma(a[m, k], b[k, n], acc) over ascending k from +0 (or from
// c), then + (+0), then the epilogue (docs/NUMERICS.md rule 2). A thread owns its outputs, so tile shape, stages and
// order of blocks cannot change a bit. Padding a tile with zeros in k adds fma(0, 0, acc), which only the sign of a
// zero could show, and + (+0) hides that.
//
// Layouts: nt a[m*lda + k] b[n*ldb + k] (forward), nn b[k*ldb + n] (dX), tn a[k*lda + m] b[k*ldb + n] (dW). blockIdx.z
// is a batch of (outer, inner): leaf gradients of grains, or sequences and heads. A block makes a tile of BM x BN in
// steps of 16 k. Global reads are 16 bytes a thread where rows allow it; shared tiles are [k][m] and [k][n], so the
// inner loop reads 16 bytes for every 4 values: (TM + TN)/4 loads for TM*TN fused multiply-adds. Two stages: the next
// step's global reads are in flight meanwhile. Bytes: every tile reads 4*K*(BM + BN); traffic is far below the
// arithmetic at model sizes.
#include "../include/unary.cuh"

enum Epilogue { NONE, BIAS, BIAS_RESIDUAL, BIAS_GELU, GELU_BACKWARD };

struct Product {
    float* c;
    const float* a;
    const float* b;
    const float* bias;
    const float* residual;
    float* pre;
    float* erf;
    long aOuter, aInner, bOuter, bInner, cOuter, cInner;
    int m, n, k, lda, ldb, ldc;
    int inner; // batch index z = outer * inner + i
    int epilogue;
    int accumulate; // chains go on from c
    float scale;    // multiplied at the end when not 1: attention's scores
};

constexpr int BK = 16;

/// One operand's part of a step: rows x BK values, k contiguous in memory, to a [k][pitch] tile.
template <int ROWS, int THREADS, int PITCH>
struct AlongK {
    static constexpr int COUNT = ROWS * BK / 4 / THREADS;
    f4 held[COUNT];

    DEVICE void read(const float* p, int ld, int first, int rows, int k0, int k, bool vector)
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int at = thread_x() + i * THREADS, row = first + (at >> 2), col = k0 + ((at & 3) << 2);
            const float* from = p + (long)row * ld + col;
            f4 v = {0.0f, 0.0f, 0.0f, 0.0f};
            if (row < rows) {
                if (vector && col + 4 <= k)
                    v = *(const f4*)from;
                else {
                    if (col < k) v.x = from[0];
                    if (col + 1 < k) v.y = from[1];
                    if (col + 2 < k) v.z = from[2];
                    if (col + 3 < k) v.w = from[3];
                }
            }
            held[i] = v;
        }
    }

    DEVICE void write(f4* tile)
    {
        float* t = (float*)tile;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int at = thread_x() + i * THREADS, row = at >> 2, col = (at & 3) << 2;
            t[(col + 0) * PITCH + row] = held[i].x;
            t[(col + 1) * PITCH + row] = held[i].y;
            t[(col + 2) * PITCH + row] = held[i].z;
            t[(col + 3) * PITCH + row] = held[i].w;
        }
    }
};

/// The same for an operand whose rows (or columns of b) are contiguous in memory.
template <int ROWS, int THREADS, int PITCH>
struct AcrossK {
    static constexpr int COUNT = ROWS * BK / 4 / THREADS, WIDE = ROWS / 4;
    f4 held[COUNT];

    DEVICE void read(const float* p, int ld, int first, int rows, int k0, int k, bool vector)
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int at = thread_x() + i * THREADS, row = first + ((at % WIDE) << 2), col = k0 + at / WIDE;
            const float* from = p + (long)col * ld + row;
            f4 v = {0.0f, 0.0f, 0.0f, 0.0f};
            if (col < k) {
                if (vector && row + 4 <= rows)
                    v = *(const f4*)from;
                else {
                    if (row < rows) v.x = from[0];
                    if (row + 1 < rows) v.y = from[1];
                    if (row + 2 < rows) v.z = from[2];
                    if (row + 3 < rows) v.w = from[3];
                }
            }
            held[i] = v;
        }
    }

    DEVICE void write(f4* tile)
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int at = thread_x() + i * THREADS;
            tile[at / WIDE * (PITCH / 4) + at % WIDE] = held[i];
        }
    }
};

template <int BM, int BN, int TM, int TN, template <int, int, int> class LoadA, template <int, int, int> class LoadB>
DEVICE void gemm(const Product& p)
{
    constexpr int ACROSS = BN / TN, THREADS = BM / TM * ACROSS, WARPS_ACROSS = ACROSS / 8;
    constexpr int PITCH_A = BM + 4, PITCH_B = BN + 4, STAGE = BK * (PITCH_A + PITCH_B) / 4, HALF = BM / 2 * BN / 4;
    SHARED static f4 memory[2 * STAGE > HALF ? 2 * STAGE : HALF];

    int outer = block_z() / p.inner, inner = block_z() - outer * p.inner;
    const float* a = p.a + outer * p.aOuter + inner * p.aInner;
    const float* b = p.b + outer * p.bOuter + inner * p.bInner;
    long at_c = outer * p.cOuter + inner * p.cInner;
    float* c = p.c + at_c;
    int m0 = block_y() * BM, n0 = block_x() * BN;
    bool vectorA = aligned(a) && (p.lda & 3) == 0, vectorB = aligned(b) && (p.ldb & 3) == 0;

    // a warp is 4 threads high and 8 wide, so that its fragment loads are broadcasts of few lines
    int warp = thread_x() >> 5, lane = thread_x() & 31;
    int ty = warp / WARPS_ACROSS * 4 + (lane >> 3), tx = warp % WARPS_ACROSS * 8 + (lane & 7);
    auto row_of = [&](int i) __attribute__((always_inline)) { return i / 4 * (BM / (TM / 4)) + ty * 4 + i % 4; };
    auto col_of = [&](int j) __attribute__((always_inline)) { return j / 4 * (BN / (TN / 4)) + tx * 4 + j % 4; };

    float acc[TM][TN];
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) {
            int row = m0 + row_of(i), col = n0 + col_of(j);
            acc[i][j] = p.accumulate && row < p.m && col < p.n ? c[(long)row * p.ldc + col] : 0.0f;
        }

    LoadA<BM, THREADS, PITCH_A> loadA;
    LoadB<BN, THREADS, PITCH_B> loadB;
    loadA.read(a, p.lda, m0, p.m, 0, p.k, vectorA);
    loadB.read(b, p.ldb, n0, p.n, 0, p.k, vectorB);
    loadA.write(memory);
    loadB.write(memory + BK * PITCH_A / 4);
    barrier();
    int stage = 0;
    for (int k0 = 0; k0 < p.k; k0 += BK) {
        bool more = k0 + BK < p.k;
        if (more) {
            loadA.read(a, p.lda, m0, p.m, k0 + BK, p.k, vectorA);
            loadB.read(b, p.ldb, n0, p.n, k0 + BK, p.k, vectorB);
        }
        const f4* ta = memory + stage * STAGE;
        const f4* tb = ta + BK * PITCH_A / 4;
#pragma unroll
        for (int k = 0; k < BK; k++) {
            f4 fa[TM / 4], fb[TN / 4];
#pragma unroll
            for (int i = 0; i < TM / 4; i++) fa[i] = ta[k * (PITCH_A / 4) + i * (BM / TM) + ty];
#pragma unroll
            for (int j = 0; j < TN / 4; j++) fb[j] = tb[k * (PITCH_B / 4) + j * (BN / TN) + tx];
#pragma unroll
            for (int i = 0; i < TM; i++)
#pragma unroll
                for (int j = 0; j < TN; j++) acc[i][j] = fma(fa[i / 4][i % 4], fb[j / 4][j % 4], acc[i][j]);
        }
        if (more) {
            stage ^= 1;
            loadA.write(memory + stage * STAGE);
            loadB.write(memory + stage * STAGE + BK * PITCH_A / 4);
        }
        barrier();
    }

#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) acc[i][j] = acc[i][j] + 0.0f;

    if (p.epilogue >= BIAS_GELU) {
        // GELU's functions are long: the tile goes through shared memory, half at a time, so that they stand here twice
        // and not TM*TN times
        constexpr int PARTS = 2, ROWS = BM / PARTS;
        float* tile = (float*)memory;
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
#pragma unroll
            for (int i = part * TM / PARTS; i < (part + 1) * TM / PARTS; i++)
#pragma unroll
                for (int j = 0; j < TN; j++) tile[(row_of(i) - part * ROWS) * BN + col_of(j)] = acc[i][j];
            barrier();
#pragma unroll 1
            for (int e = thread_x(); e < ROWS * BN; e += THREADS) {
                int row = m0 + part * ROWS + e / BN, col = n0 + e % BN;
                if (row >= p.m || col >= p.n) continue;
                long at = (long)row * p.ldc + col;
                float x = tile[e];
                if (p.epilogue == BIAS_GELU) {
                    x = x + p.bias[col];
                    float erf, y = gelu(x, erf);
                    if (p.pre) {
                        p.pre[at] = x;
                        p.erf[at] = erf;
                    }
                    c[at] = y;
                } else
                    c[at] = gelu_backward(x, p.pre[at], p.erf[at]);
            }
            barrier();
        }
        return;
    }

    bool vector = aligned(c) && (p.ldc & 3) == 0;
#pragma unroll
    for (int i = 0; i < TM; i++) {
        int row = m0 + row_of(i);
        if (row >= p.m) continue;
#pragma unroll
        for (int j = 0; j < TN; j += 4) {
            int col = n0 + col_of(j);
            long at = (long)row * p.ldc + col;
            f4 v = {acc[i][j], acc[i][j + 1], acc[i][j + 2], acc[i][j + 3]};
            if (p.epilogue != NONE) {
                if (col < p.n) v.x = v.x + p.bias[col];
                if (col + 1 < p.n) v.y = v.y + p.bias[col + 1];
                if (col + 2 < p.n) v.z = v.z + p.bias[col + 2];
                if (col + 3 < p.n) v.w = v.w + p.bias[col + 3];
            }
            if (p.scale != 1.0f) v = v * p.scale;
            if (vector && col + 4 <= p.n) {
                if (p.epilogue == BIAS_RESIDUAL) v = v + *(const f4*)(p.residual + at);
                *(f4*)(c + at) = v;
            } else {
#pragma unroll
                for (int e = 0; e < 4; e++)
                    if (col + e < p.n) c[at + e] = p.epilogue == BIAS_RESIDUAL ? v[e] + p.residual[at + e] : v[e];
            }
        }
    }
}

// blocks: how many must fit a multiprocessor. The large tile has one: with two, 128 registers a thread, its
// accumulators spill (ptxas 11.8, sm_80 and sm_90).
#define PRODUCTS(bm, bn, tm, tn, blocks)                                                                               \
    GLOBAL BOUNDS(bm / tm * (bn / tn), blocks) void gemm_nt_##bm##x##bn(Product p)                                     \
    {                                                                                                                  \
        gemm<bm, bn, tm, tn, AlongK, AlongK>(p);                                                                       \
    }                                                                                                                  \
    GLOBAL BOUNDS(bm / tm * (bn / tn), blocks) void gemm_nn_##bm##x##bn(Product p)                                     \
    {                                                                                                                  \
        gemm<bm, bn, tm, tn, AlongK, AcrossK>(p);                                                                      \
    }                                                                                                                  \
    GLOBAL BOUNDS(bm / tm * (bn / tn), blocks) void gemm_tn_##bm##x##bn(Product p)                                     \
    {                                                                                                                  \
        gemm<bm, bn, tm, tn, AcrossK, AcrossK>(p);                                                                     \
    }

PRODUCTS(128, 128, 8, 8, 1)
PRODUCTS(128, 64, 8, 8, 2)
PRODUCTS(64, 64, 8, 4, 4)
