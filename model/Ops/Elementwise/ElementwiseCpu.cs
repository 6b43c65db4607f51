using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class ElementwiseCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Scale(float* y, float* x, float s, long n)
    {
        V f = L.Set(s);
        long i = 0;
        for (; i + L.Count <= n; i += L.Count)
            L.Store(L.Mul(L.Load(x + i), f), y + i);
        for (; i < n; i++)
            y[i] = x[i] * s;
    }

    internal static void Relu(Mat y, Mat x, Mat gate)
    {
        long i = 0;
        long n = y.Count;
        for (; i + L.Count <= n; i += L.Count)
            L.Store(L.WherePositive(L.Load(gate.Data + i), L.Load(x.Data + i)), y.Data + i);
        for (; i < n; i++)
            y.Data[i] = Lanes1.WherePositive(gate.Data[i], x.Data[i]);
    }

    internal static void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep)
    {
        int rows = y.Rows / kept.Length;
        for (int r = 0; r < y.Rows; r++)
        {
            float* to = y.Row(r);
            float* b = branch.Row(r);
            if (kept[r / rows])
                for (int c = 0; c < y.Cols; c++)
                    to[c] = residual.IsEmpty ? b[c] / keep : residual.Row(r)[c] + b[c] / keep;
            else
                for (int c = 0; c < y.Cols; c++)
                    to[c] = residual.IsEmpty ? 0f : residual.Row(r)[c] + 0f;
        }
    }

    internal static void ColumnSum(Mat acc, Mat x, int first, int step)
    {
        int c = 0;
        for (; c + L.Count <= x.Cols; c += L.Count)
        {
            V a = L.Load(acc.Data + c);
            for (int r = first; r < x.Rows; r += step)
                a = L.Add(a, L.Load(x.Row(r) + c));
            L.Store(L.Add(a, L.Set(0f)), acc.Data + c);
        }
        for (; c < x.Cols; c++)
        {
            float a = acc.Data[c];
            for (int r = first; r < x.Rows; r += step)
                a += x.Row(r)[c];
            acc.Data[c] = a + 0f;
        }
    }

    internal static float SquaredNorm(Mat x)
    {
        Tree tree = default;
        for (int r = 0; r < x.Rows; r++)
            tree.Add(LaneSum.Dot<V, L>(x.Row(r), x.Row(r), x.Cols));
        return tree.Root();
    }
}
