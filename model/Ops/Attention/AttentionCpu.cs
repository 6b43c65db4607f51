using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// One head at a time: keys (or values) are transposed into padded scratch so that vectors run over keys, and every product goes
/// through the matrix tiles. Padding columns hold zeros and are never written out.
/// </summary>
internal static unsafe class AttentionCpu<V, L> where V : unmanaged where L : struct, ILanes<V>
{
    [SkipLocalsInit]
    internal static void Forward(Mat output, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int d = qkv.Cols / 3, e = d / heads, ldn = Padded(n), lde = Padded(e), ld = qkv.Cols;
                float* kt = Scratch.Floats(ScratchUse.Attention, (long)e * ldn + (long)n * lde + (long)n * ldn), v = kt + (long)e * ldn, s = v + (long)n * lde;
        for (int q = 0; q < qkv.Rows / n; q++)
            for (int h = 0; h < heads; h++)
            {
                float* query = qkv.Row(q * n) + h * e, p = prob.Row((q * heads + h) * n);
                Transpose(kt, ldn, query + d, ld, n, e);
                GemmCpu<V, L>.Small(s, ldn, query, ld, 1, kt, ldn, n, ldn, e);
                for (int i = 0; i < n; i++) Softmax(p + (long)i * n, s + (long)i * ldn, n, scale);
                float* values = CopyPadded(v, lde, query + 2 * d, ld, n, e, out int bks);
                GemmCpu<V, L>.Small(output.Row(q * n) + h * e, d, p, n, 1, values, bks, n, e, n);
            }
    }

    [SkipLocalsInit]
    internal static void Backward(Mat dQkv, Mat dOutput, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int d = qkv.Cols / 3, e = d / heads, ldn = Padded(n), lde = Padded(e), ld = qkv.Cols;
                float* vt = Scratch.Floats(ScratchUse.Attention, (long)e * ldn + (long)n * lde + (long)n * ldn), rows = vt + (long)e * ldn, da = rows + (long)n * lde;
        for (int q = 0; q < qkv.Rows / n; q++)
            for (int h = 0; h < heads; h++)
            {
                float* query = qkv.Row(q * n) + h * e, dout = dOutput.Row(q * n) + h * e, p = prob.Row((q * heads + h) * n), dq = dQkv.Row(q * n) + h * e;
                Transpose(vt, ldn, query + 2 * d, ld, n, e);
                GemmCpu<V, L>.Small(da, ldn, dout, d, 1, vt, ldn, n, ldn, e);
                for (int i = 0; i < n; i++) SoftmaxBackward(da + (long)i * ldn, p + (long)i * n, n, scale);
                float* b = CopyPadded(rows, lde, query + d, ld, n, e, out int bks);
                GemmCpu<V, L>.Small(dq, ld, da, ldn, 1, b, bks, n, e, n);
                b = CopyPadded(rows, lde, query, ld, n, e, out bks);
                GemmCpu<V, L>.Small(dq + d, ld, da, 1, ldn, b, bks, n, e, n);
                b = CopyPadded(rows, lde, dout, d, n, e, out bks);
                GemmCpu<V, L>.Small(dq + 2 * d, ld, p, 1, n, b, bks, n, e, n);
            }
    }

    private static int Padded(int n) => (n + L.Count - 1) / L.Count * L.Count;

    private static void Transpose(float* to, int ldt, float* from, int ldf, int n, int e)
    {
        for (int t = 0; t < e; t++)
        {
            for (int j = 0; j < n; j++) to[(long)t * ldt + j] = from[(long)j * ldf + t];
            for (int j = n; j < ldt; j++) to[(long)t * ldt + j] = 0f;
        }
    }

    /// <summary>The rows themselves when their width is whole vectors, else a zero-padded copy.</summary>
    private static float* CopyPadded(float* to, int ldt, float* from, int ldf, int n, int e, out int stride)
    {
        if (e == ldt)
        {
            stride = ldf;
            return from;
        }
        for (int j = 0; j < n; j++)
        {
            for (int t = 0; t < e; t++) to[(long)j * ldt + t] = from[(long)j * ldf + t];
            for (int t = e; t < ldt; t++) to[(long)j * ldt + t] = 0f;
        }
        stride = ldt;
        return to;
    }

    /// <summary>p = softmax(scale s) over n keys. The padding of s up to a whole vector is computed along and never read back.</summary>
    private static void Softmax(float* p, float* s, int n, float scale)
    {
        V factor = L.Set(scale);
        for (int j = 0; j < n; j += L.Count) L.Store(L.Mul(L.Load(s + j), factor), s + j);
        float m = s[0];
        for (int j = 1; j < n; j++) m = s[j] > m ? s[j] : m;
        V most = L.Set(m + 0f);
        for (int j = 0; j < n; j += L.Count) L.Store(L.Exp(L.Sub(L.Load(s + j), most)), s + j);
        float sum = LaneSum.Sum<V, L>(s, n);
        V total = L.Set(sum);
        int i = 0;
        for (; i + L.Count <= n; i += L.Count) L.Store(L.Div(L.Load(s + i), total), p + i);
        for (; i < n; i++) p[i] = s[i] / sum;
    }

    private static void SoftmaxBackward(float* dp, float* p, int n, float scale)
    {
        float dot = LaneSum.Dot<V, L>(dp, p, n);
        for (int j = 0; j < n; j++) dp[j] = p[j] * (dp[j] - dot) * scale;
    }
}
