// Attention by tensor cores, fused: scores live in registers, never in memory (--math run-to-run). Shapes as in
// model/Ops/Attention: qkv [S*N, 3*D] with columns (3, H, E), out [S*N, D]. What forward keeps is two floats a row: the
// largest score (times log2 e) and 1 / sum. Mapping: blockIdx = (sequence, 64 rows, head), 4 warps of 16 rows; keys (or
// queries) come in chunks of 64 through shared memory as bfloat16, in pairs along e (rows) where e is summed over, in
// pairs along the chunk (columns) where the chunk is. No atomics: dq is made by rows of queries, dk and dv by rows of
// keys. E is a tile's width; a head may be narrower (a multiple of 4), the rest is zeros that are never written. Bytes:
// forward 16 an element of out; backward 28. Pitches of 4 words modulo 8 make all fragment loads free of bank
// conflicts.
#include "../include/bf16.cuh"

constexpr int CHUNK = 64, ROW_PITCH = CHUNK / 2 + 4;

template <int E>
struct Tile {
    static constexpr int PITCH = E / 2 + 4;

    /// rows [CHUNK][PITCH]: words of two neighbours in e; rows from n on are 0.
    DEVICE static void rows(uint* to, const float* from, int first, int n, int stride, int width)
    {
#pragma unroll
        for (int i = 0; i < E / 8; i++) {
            int at = thread_x() + 128 * i, r = at / (E / 4), e = at % (E / 4);
            f4 v = {0.0f, 0.0f, 0.0f, 0.0f};
            if (first + r < n && 4 * e < width) v = *(const f4*)(from + (long)(first + r) * stride + 4 * e);
            to[r * PITCH + 2 * e] = pack(v.x, v.y);
            to[r * PITCH + 2 * e + 1] = pack(v.z, v.w);
        }
    }

    /// columns [E][ROW_PITCH]: words of two neighbours in the chunk.
    DEVICE static void columns(uint* to, const float* from, int first, int n, int stride, int width)
    {
#pragma unroll
        for (int i = 0; i < E / 16; i++) {
            int at = thread_x() + 128 * i, pair = at % 32, e = at / 32;
            f4 a = {0.0f, 0.0f, 0.0f, 0.0f}, b = a;
            int r = first + 2 * pair;
            if (r < n && 4 * e < width) a = *(const f4*)(from + (long)r * stride + 4 * e);
            if (r + 1 < n && 4 * e < width) b = *(const f4*)(from + (long)(r + 1) * stride + 4 * e);
            to[(4 * e + 0) * ROW_PITCH + pair] = pack(a.x, b.x);
            to[(4 * e + 1) * ROW_PITCH + pair] = pack(a.y, b.y);
            to[(4 * e + 2) * ROW_PITCH + pair] = pack(a.z, b.z);
            to[(4 * e + 3) * ROW_PITCH + pair] = pack(a.w, b.w);
        }
    }

    /// This warp's 16 rows as the left operand.
    DEVICE static void left(uint (&a)[E / 16][4], const float* from, int row, int n, int stride, int width)
    {
        int t = thread_x() & 3;
#pragma unroll
        for (int k = 0; k < E / 16; k++)
#pragma unroll
            for (int part = 0; part < 4; part++) {
                int r = row + (part & 1) * 8, e = 16 * k + 2 * t + (part >> 1) * 8;
                f2 v = {0.0f, 0.0f};
                if (r < n && e < width) v = *(const f2*)(from + (long)r * stride + e);
                a[k][part] = pack(v.x, v.y);
            }
    }

    /// s [16, CHUNK] = a rows^T, summed over e.
    DEVICE static void scores(float (&s)[8][4], const uint (&a)[E / 16][4], const uint* rows)
    {
        int g = (thread_x() & 31) >> 2, t = thread_x() & 3;
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int c = 0; c < 4; c++) s[j][c] = 0.0f;
#pragma unroll
            for (int k = 0; k < E / 16; k++)
                multiply_add(s[j], a[k], rows[(8 * j + g) * PITCH + 8 * k + t],
                             rows[(8 * j + g) * PITCH + 8 * k + t + 4]);
        }
    }

    /// y [16, E] += p columns^T, summed over the chunk. A product's result is laid out as the next one's left operand.
    DEVICE static void weigh(float (&y)[E / 8][4], const float (&p)[8][4], const uint* columns)
    {
        int g = (thread_x() & 31) >> 2, t = thread_x() & 3;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            uint a[4] = {pack(p[2 * k][0], p[2 * k][1]), pack(p[2 * k][2], p[2 * k][3]),
                         pack(p[2 * k + 1][0], p[2 * k + 1][1]), pack(p[2 * k + 1][2], p[2 * k + 1][3])};
#pragma unroll
            for (int j = 0; j < E / 8; j++)
                multiply_add(y[j], a, columns[(8 * j + g) * ROW_PITCH + 8 * k + t],
                             columns[(8 * j + g) * ROW_PITCH + 8 * k + t + 4]);
        }
    }

    DEVICE static void write(float* to, const float (&y)[E / 8][4], int row, int n, int stride, int width, float low,
                             float high)
    {
        int t = thread_x() & 3;
#pragma unroll
        for (int j = 0; j < E / 8; j++) {
            if (8 * j + 2 * t >= width) continue;
            if (row < n) *(f2*)(to + (long)row * stride + 8 * j + 2 * t) = f2{y[j][0] * low, y[j][1] * low};
            if (row + 8 < n) *(f2*)(to + (long)(row + 8) * stride + 8 * j + 2 * t) = f2{y[j][2] * high, y[j][3] * high};
        }
    }
};

/// Over the four lanes that share a row.
DEVICE float row_sum(float x)
{
    x = x + shuffle_xor(x, 1);
    return x + shuffle_xor(x, 2);
}

template <int E>
DEVICE void clear(float (&y)[E / 8][4])
{
#pragma unroll
    for (int j = 0; j < E / 8; j++)
#pragma unroll
        for (int c = 0; c < 4; c++) y[j][c] = 0.0f;
}

/// scale: attention's scale times log2 e. saved [S*H*N, 2] may be null.
template <int E>
DEVICE void forward(float* out, float* saved, const float* qkv, int n, int heads, int width, float scale)
{
    SHARED static uint rows[CHUNK * Tile<E>::PITCH], columns[E * ROW_PITCH];
    int d = heads * width, head = block_z(), row = block_y() * 64 + (thread_x() >> 5) * 16 + ((thread_x() & 31) >> 2),
        t = thread_x() & 3;
    const float* q = qkv + (long)block_x() * n * 3 * d + head * width;
    uint a[E / 16][4];
    Tile<E>::left(a, q, row, n, 3 * d, width);
    float m[2] = {-1e30f, -1e30f}, sum[2] = {0.0f, 0.0f}, y[E / 8][4];
    clear<E>(y);
    for (int first = 0; first < n; first += CHUNK) {
        barrier();
        Tile<E>::rows(rows, q + d, first, n, 3 * d, width);
        Tile<E>::columns(columns, q + 2 * d, first, n, 3 * d, width);
        barrier();
        float s[8][4], most[2] = {m[0], m[1]};
        Tile<E>::scores(s, a, rows);
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int c = 0; c < 4; c++) {
                s[j][c] = first + 8 * j + 2 * t + (c & 1) < n ? s[j][c] * scale : -1e30f;
                most[c >> 1] = larger(s[j][c], most[c >> 1]);
            }
#pragma unroll
        for (int h = 0; h < 2; h++) {
            most[h] = larger(shuffle_xor(most[h], 1), most[h]);
            most[h] = larger(shuffle_xor(most[h], 2), most[h]);
            float shrink = exp2_near(m[h] - most[h]);
            sum[h] = sum[h] * shrink;
#pragma unroll
            for (int j = 0; j < E / 8; j++) {
                y[j][2 * h] = y[j][2 * h] * shrink;
                y[j][2 * h + 1] = y[j][2 * h + 1] * shrink;
            }
            m[h] = most[h];
        }
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int c = 0; c < 4; c++) {
                s[j][c] = exp2_near(s[j][c] - m[c >> 1]);
                sum[c >> 1] = sum[c >> 1] + s[j][c];
            }
        Tile<E>::weigh(y, s, columns);
    }
    float low = 1.0f / row_sum(sum[0]), high = 1.0f / row_sum(sum[1]);
    Tile<E>::write(out + (long)block_x() * n * d + head * width, y, row, n, d, width, low, high);
    if (saved && t == 0) {
        f2* to = (f2*)saved + ((long)block_x() * heads + head) * n;
        if (row < n) to[row] = f2{m[0], low};
        if (row + 8 < n) to[row + 8] = f2{m[1], high};
    }
}

/// s becomes the probabilities of 16 queries and a chunk of keys.
DEVICE void probabilities(float (&s)[8][4], int first, int n, float scale, f2 low, f2 high)
{
    int t = thread_x() & 3;
#pragma unroll
    for (int j = 0; j < 8; j++)
#pragma unroll
        for (int c = 0; c < 4; c++) {
            f2 kept = c < 2 ? low : high;
            s[j][c] = first + 8 * j + 2 * t + (c & 1) < n ? exp2_near(s[j][c] * scale - kept.x) * kept.y : 0.0f;
        }
}

/// dq, and delta [S*H*N]: the sum over keys of p dp. factor: attention's scale.
template <int E>
DEVICE void backward_queries(float* dQkv, float* delta, const float* dOut, const float* saved, const float* qkv, int n,
                             int heads, int width, float scale, float factor)
{
    SHARED static uint keys[CHUNK * Tile<E>::PITCH], values[CHUNK * Tile<E>::PITCH], columns[E * ROW_PITCH];
    int d = heads * width, head = block_z(), row = block_y() * 64 + (thread_x() >> 5) * 16 + ((thread_x() & 31) >> 2);
    const float* q = qkv + (long)block_x() * n * 3 * d + head * width;
    long rowOf = ((long)block_x() * heads + head) * n;
    uint a[E / 16][4], g[E / 16][4];
    Tile<E>::left(a, q, row, n, 3 * d, width);
    Tile<E>::left(g, dOut + (long)block_x() * n * d + head * width, row, n, d, width);
    f2 low = {0.0f, 0.0f}, high = low;
    if (row < n) low = ((const f2*)saved)[rowOf + row];
    if (row + 8 < n) high = ((const f2*)saved)[rowOf + row + 8];
    float both[2] = {0.0f, 0.0f}, y[E / 8][4];
    clear<E>(y);
#pragma unroll 1
    for (int pass = 0; pass < 2; pass++) {
#pragma unroll 1
        for (int first = 0; first < n; first += CHUNK) {
            barrier();
            Tile<E>::rows(keys, q + d, first, n, 3 * d, width);
            Tile<E>::rows(values, q + 2 * d, first, n, 3 * d, width);
            Tile<E>::columns(columns, q + d, first, n, 3 * d, width);
            barrier();
            float p[8][4], dp[8][4];
            Tile<E>::scores(p, a, keys);
            Tile<E>::scores(dp, g, values);
            probabilities(p, first, n, scale, low, high);
            if (pass == 0) {
#pragma unroll
                for (int j = 0; j < 8; j++)
#pragma unroll
                    for (int c = 0; c < 4; c++) both[c >> 1] = fma(p[j][c], dp[j][c], both[c >> 1]);
                continue;
            }
#pragma unroll
            for (int j = 0; j < 8; j++)
#pragma unroll
                for (int c = 0; c < 4; c++) p[j][c] = p[j][c] * (dp[j][c] - both[c >> 1]);
            Tile<E>::weigh(y, p, columns);
        }
        if (pass == 0) {
            both[0] = row_sum(both[0]);
            both[1] = row_sum(both[1]);
        }
    }
    Tile<E>::write(dQkv + (long)block_x() * n * 3 * d + head * width, y, row, n, 3 * d, width, factor, factor);
    if ((thread_x() & 3) == 0) {
        if (row < n) delta[rowOf + row] = both[0];
        if (row + 8 < n) delta[rowOf + row + 8] = both[1];
    }
}

/// dk and dv: rows are keys, chunks are queries.
template <int E>
DEVICE void backward_keys(float* dQkv, const float* delta, const float* dOut, const float* saved, const float* qkv,
                          int n, int heads, int width, float scale, float factor)
{
    SHARED static uint queries[CHUNK * Tile<E>::PITCH], outs[CHUNK * Tile<E>::PITCH], queryColumns[E * ROW_PITCH],
        outColumns[E * ROW_PITCH];
    SHARED static float most[CHUNK], inverse[CHUNK], both[CHUNK];
    int d = heads * width, head = block_z(), row = block_y() * 64 + (thread_x() >> 5) * 16 + ((thread_x() & 31) >> 2),
        t = thread_x() & 3;
    const float* q = qkv + (long)block_x() * n * 3 * d + head * width;
    const float* out = dOut + (long)block_x() * n * d + head * width;
    long rowOf = ((long)block_x() * heads + head) * n;
    uint k[E / 16][4], v[E / 16][4];
    Tile<E>::left(k, q + d, row, n, 3 * d, width);
    Tile<E>::left(v, q + 2 * d, row, n, 3 * d, width);
    float dk[E / 8][4], dv[E / 8][4];
    clear<E>(dk);
    clear<E>(dv);
#pragma unroll 1
    for (int first = 0; first < n; first += CHUNK) {
        barrier();
        Tile<E>::rows(queries, q, first, n, 3 * d, width);
        Tile<E>::rows(outs, out, first, n, d, width);
        Tile<E>::columns(queryColumns, q, first, n, 3 * d, width);
        Tile<E>::columns(outColumns, out, first, n, d, width);
        if (thread_x() < CHUNK) {
            f2 kept = {0.0f, 0.0f};
            float sum = 0.0f;
            if (first + thread_x() < n) {
                kept = ((const f2*)saved)[rowOf + first + thread_x()];
                sum = delta[rowOf + first + thread_x()];
            }
            most[thread_x()] = kept.x;
            inverse[thread_x()] = kept.y;
            both[thread_x()] = sum;
        }
        barrier();
        float p[8][4], ds[8][4];
        Tile<E>::scores(p, k, queries);
        Tile<E>::scores(ds, v, outs);
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int c = 0; c < 4; c++) {
                int query = 8 * j + 2 * t + (c & 1);
                p[j][c] = exp2_near(p[j][c] * scale - most[query]) * inverse[query]; // a query from n on has inverse 0
                ds[j][c] = p[j][c] * (ds[j][c] - both[query]);
            }
        Tile<E>::weigh(dv, p, outColumns);
        Tile<E>::weigh(dk, ds, queryColumns);
    }
    float* to = dQkv + (long)block_x() * n * 3 * d + head * width;
    Tile<E>::write(to + d, dk, row, n, 3 * d, width, factor, factor);
    Tile<E>::write(to + 2 * d, dv, row, n, 3 * d, width, 1.0f, 1.0f);
}

#define ATTENTION(e)                                                                                                   \
    GLOBAL BOUNDS(128, 3) void bf16_attention_##e(float* __restrict__ out, float* __restrict__ saved,                  \
                                                  const float* __restrict__ qkv, int n, int heads, int width,          \
                                                  float scale)                                                         \
    {                                                                                                                  \
        forward<e>(out, saved, qkv, n, heads, width, scale);                                                           \
    }                                                                                                                  \
    GLOBAL BOUNDS(128, 2) void bf16_attention_queries_##e(                                                             \
        float* __restrict__ dQkv, float* __restrict__ delta, const float* __restrict__ dOut,                           \
        const float* __restrict__ saved, const float* __restrict__ qkv, int n, int heads, int width, float scale,      \
        float factor)                                                                                                  \
    {                                                                                                                  \
        backward_queries<e>(dQkv, delta, dOut, saved, qkv, n, heads, width, scale, factor);                            \
    }                                                                                                                  \
    GLOBAL BOUNDS(128, 2) void bf16_attention_keys_##e(float* __restrict__ dQkv, const float* __restrict__ delta,      \
                                                       const float* __restrict__ dOut,                                 \
                                                       const float* __restrict__ saved, const float* __restrict__ qkv, \
                                                       int n, int heads, int width, float scale, float factor)         \
    {                                                                                                                  \
        backward_keys<e>(dQkv, delta, dOut, saved, qkv, n, heads, width, scale, factor);                               \
    }

ATTENTION(16)
ATTENTION(32)
ATTENTION(64)
