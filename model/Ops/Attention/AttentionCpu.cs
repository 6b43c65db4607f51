using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Ops;

/// <summary>
/// One head at a time, in scratch that stays in cache: keys (or values) are transposed and padded to whole vectors so
/// that vectors run over keys, and every product goes through the matrix tiles. Padding never reaches a result.
/// </summary>
internal static unsafe class AttentionCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Forward(Mat output, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int parts = Team.PartsFor(qkv.Rows / n);
        Team.Run(
            parts,
            (output, prob, qkv, n, heads, scale, parts),
            static (i, _, s) =>
            {
                var (first, count) = Part(i, s.parts, s.qkv.Rows / s.n);
                ForwardPart(
                    s.output.Slice(first * s.n, count * s.n),
                    s.prob.IsEmpty ? default : s.prob.Slice(first * s.heads * s.n, count * s.heads * s.n),
                    s.qkv.Slice(first * s.n, count * s.n),
                    s.n,
                    s.heads,
                    s.scale
                );
            }
        );
    }

    internal static void Backward(Mat dQkv, Mat dOutput, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int parts = Team.PartsFor(qkv.Rows / n);
        Team.Run(
            parts,
            (dQkv, dOutput, prob, qkv, n, heads, scale, parts),
            static (i, _, s) =>
            {
                var (first, count) = Part(i, s.parts, s.qkv.Rows / s.n);
                BackwardPart(
                    s.dQkv.Slice(first * s.n, count * s.n),
                    s.dOutput.Slice(first * s.n, count * s.n),
                    s.prob.Slice(first * s.heads * s.n, count * s.heads * s.n),
                    s.qkv.Slice(first * s.n, count * s.n),
                    s.n,
                    s.heads,
                    s.scale
                );
            }
        );
    }

    /// <summary>Part i of some sequences: a team of threads shares them.</summary>
    private static (int First, int Count) Part(int i, int parts, int sequences) =>
        (sequences * i / parts, sequences * (i + 1) / parts - sequences * i / parts);

    private static void ForwardPart(Mat output, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int d = qkv.Cols / 3;
        int e = d / heads;
        int ldn = Padded(n);
        int lde = Padded(e);
        int ld = qkv.Cols;
        float* kt = Scratch.Floats(ScratchUse.Attention, (long)e * ldn + (long)n * lde + 2L * n * ldn);
        float* v = kt + (long)e * ldn;
        float* s = v + (long)n * lde;
        float* own = s + (long)n * ldn;
        for (int q = 0; q < qkv.Rows / n; q++)
        for (int h = 0; h < heads; h++)
        {
            float* query = qkv.Row(q * n) + h * e;
            float* p = prob.IsEmpty ? own : prob.Row((q * heads + h) * n);
            TransposePadded(kt, ldn, query + d, ld, n, e);
            GemmSmall<V, L>.Run(s, ldn, query, ld, 1, kt, ldn, n, ldn, e);
            for (int i = 0; i < n; i++)
                Softmax(p + (long)i * n, s + (long)i * ldn, n, ldn, scale);
            CopyPadded(v, lde, query + 2 * d, ld, n, e);
            GemmSmall<V, L>.Run(output.Row(q * n) + h * e, d, p, n, 1, v, lde, n, e, n);
        }
    }

    private static void BackwardPart(Mat dQkv, Mat dOutput, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int d = qkv.Cols / 3;
        int e = d / heads;
        int ldn = Padded(n);
        int lde = Padded(e);
        int ld = qkv.Cols;
        float* vt = Scratch.Floats(ScratchUse.Attention, (long)e * ldn + (long)n * lde + (long)n * ldn);
        float* rows = vt + (long)e * ldn;
        float* da = rows + (long)n * lde;
        for (int q = 0; q < qkv.Rows / n; q++)
        for (int h = 0; h < heads; h++)
        {
            float* query = qkv.Row(q * n) + h * e;
            float* dout = dOutput.Row(q * n) + h * e;
            float* p = prob.Row((q * heads + h) * n);
            float* dq = dQkv.Row(q * n) + h * e;
            TransposePadded(vt, ldn, query + 2 * d, ld, n, e);
            GemmSmall<V, L>.Run(da, ldn, dout, d, 1, vt, ldn, n, ldn, e);
            for (int i = 0; i < n; i++)
                SoftmaxBackward(da + (long)i * ldn, p + (long)i * n, n, scale);
            CopyPadded(rows, lde, query + d, ld, n, e);
            GemmSmall<V, L>.Run(dq, ld, da, ldn, 1, rows, lde, n, e, n);
            CopyPadded(rows, lde, query, ld, n, e);
            GemmSmall<V, L>.Run(dq + d, ld, da, 1, ldn, rows, lde, n, e, n);
            CopyPadded(rows, lde, dout, d, n, e);
            GemmSmall<V, L>.Run(dq + 2 * d, ld, p, 1, n, rows, lde, n, e, n);
        }
    }

    private static int Padded(int n) => (n + L.Count - 1) / L.Count * L.Count;

    private static void TransposePadded(float* to, int ldt, float* from, int ldf, int n, int e)
    {
        Transpose.Copy(to, ldt, from, ldf, n, e);
        for (int t = 0; t < e; t++)
        for (int j = n; j < ldt; j++)
            to[(long)t * ldt + j] = 0f;
    }

    private static void CopyPadded(float* to, int ldt, float* from, int ldf, int n, int e)
    {
        for (int j = 0; j < n; j++, to += ldt, from += ldf)
        {
            GemmPacking<V, L>.CopyRow(to, from, e);
            for (int t = e; t < ldt; t++)
                to[t] = 0f;
        }
    }

    /// <summary>
    /// p = softmax(scale s) over n keys; s has room to a whole vector. Its padding becomes minus infinity: never the
    /// maximum, and e^-inf = +0 adds nothing.
    /// </summary>
    [SkipLocalsInit]
    private static void Softmax(float* p, float* s, int n, int ldn, float scale)
    {
        for (int j = n; j < ldn; j++)
            s[j] = float.NegativeInfinity;
        V factor = L.Set(scale);
        V most = L.Mul(L.Load(s), factor);
        L.Store(most, s);
        for (int j = L.Count; j < ldn; j += L.Count)
        {
            V x = L.Mul(L.Load(s + j), factor);
            most = L.Larger(x, most);
            L.Store(x, s + j);
        }
        most = L.Set(LaneSum.Largest<V, L>(most) + 0f);
        float* lanes = stackalloc float[LaneSum.Width];
        for (int j = 0; j < LaneSum.Width; j += L.Count)
            L.Store(L.Set(0f), lanes + j);
        for (int j = 0; j < ldn; j += L.Count)
        {
            float* lane = lanes + j % LaneSum.Width;
            V x = L.Exp(L.Sub(L.Load(s + j), most));
            L.Store(x, s + j);
            L.Store(L.Add(L.Load(lane), x), lane);
        }
        float sum = LaneSum.Fold(lanes);
        V total = L.Set(sum);
        int i = 0;
        for (; i + L.Count <= n; i += L.Count)
            L.Store(L.Div(L.Load(s + i), total), p + i);
        for (; i < n; i++)
            p[i] = s[i] / sum;
    }

    /// <summary>dp becomes scale p (dp - dot(dp, p)).</summary>
    private static void SoftmaxBackward(float* dp, float* p, int n, float scale)
    {
        float dot = LaneSum.Dot<V, L>(dp, p, n);
        V minus = L.Set(dot);
        V factor = L.Set(scale);
        int j = 0;
        for (; j + L.Count <= n; j += L.Count)
            L.Store(L.Mul(L.Mul(L.Load(p + j), L.Sub(L.Load(dp + j), minus)), factor), dp + j);
        for (; j < n; j++)
            dp[j] = p[j] * (dp[j] - dot) * scale;
    }
}
