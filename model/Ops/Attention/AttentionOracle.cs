using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class AttentionOracle
{
    internal static void Forward(Mat output, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int d = qkv.Cols / 3;
        int e = d / heads;
        float* own = stackalloc float[n];
        for (int s = 0; s < qkv.Rows / n; s++)
        for (int h = 0; h < heads; h++)
        for (int i = 0; i < n; i++)
        {
            float* q = qkv.Row(s * n + i) + h * e;
            float* p = prob.IsEmpty ? own : prob.Row((s * heads + h) * n + i);
            var row = new Span<float>(p, n);
            for (int j = 0; j < n; j++)
            {
                float* k = qkv.Row(s * n + j) + d + h * e;
                row[j] = Chain(e, t => (q[t], k[t])) * scale;
            }
            float m = row[0];
            for (int j = 1; j < n; j++)
                m = row[j] > m ? row[j] : m;
            m += 0f;
            for (int j = 0; j < n; j++)
                row[j] = Unary.Exp(row[j] - m);
            float sum = LaneSumOracle.Sum(row);
            for (int j = 0; j < n; j++)
                row[j] /= sum;
            for (int t = 0; t < e; t++)
            {
                int column = 2 * d + h * e + t;
                int first = s * n;
                output.Row(s * n + i)[h * e + t] = Chain(n, j => (p[j], qkv.Row(first + j)[column]));
            }
        }
    }

    internal static void Backward(Mat dQkv, Mat dOutput, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        int d = qkv.Cols / 3;
        int e = d / heads;
        var da = new float[n, n];
        for (int s = 0; s < qkv.Rows / n; s++)
        for (int h = 0; h < heads; h++)
        {
            int first = s * n;
            int head = h * e;
            int probRow = (s * heads + h) * n;
            for (int i = 0; i < n; i++)
            {
                var dp = new float[n];
                int row = first + i;
                for (int j = 0; j < n; j++)
                {
                    int key = first + j;
                    dp[j] = Chain(e, t => (dOutput.Row(row)[head + t], qkv.Row(key)[2 * d + head + t]));
                }
                var p = new Span<float>(prob.Row(probRow + i), n);
                float dot = LaneSumOracle.Dot(dp, p);
                for (int j = 0; j < n; j++)
                    da[i, j] = p[j] * (dp[j] - dot) * scale;
            }
            for (int i = 0; i < n; i++)
            for (int t = 0; t < e; t++)
            {
                int a = i;
                int c = head + t;
                dQkv.Row(first + i)[c] = Chain(n, j => (da[a, j], qkv.Row(first + j)[d + c]));
                dQkv.Row(first + i)[d + c] = Chain(n, j => (da[j, a], qkv.Row(first + j)[c]));
                dQkv.Row(first + i)[2 * d + c] = Chain(n, j => (prob.Row(probRow + j)[a], dOutput.Row(first + j)[c]));
            }
        }
    }

    private static float Chain(int n, Func<int, (float A, float B)> pair)
    {
        float acc = 0f;
        for (int k = 0; k < n; k++)
            acc = MathF.FusedMultiplyAdd(pair(k).A, pair(k).B, acc);
        return acc + 0f;
    }
}
