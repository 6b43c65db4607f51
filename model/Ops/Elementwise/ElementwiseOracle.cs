using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class ElementwiseOracle
{
    internal static void Add(Mat y, Mat a, Mat b)
    {
        for (long i = 0; i < y.Count; i++)
            y.Data[i] = a.Data[i] + b.Data[i];
    }

    internal static void Scale(Mat y, Mat x, float s)
    {
        for (long i = 0; i < y.Count; i++)
            y.Data[i] = x.Data[i] * s;
    }

    internal static void Relu(Mat y, Mat x, Mat gate)
    {
        for (long i = 0; i < y.Count; i++)
            y.Data[i] = gate.Data[i] > 0f ? x.Data[i] : 0f;
    }

    internal static void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep)
    {
        int rows = y.Rows / kept.Length;
        for (int r = 0; r < y.Rows; r++)
        for (int c = 0; c < y.Cols; c++)
        {
            float b = kept[r / rows] ? branch.Row(r)[c] / keep : 0f;
            y.Row(r)[c] = residual.IsEmpty ? b : residual.Row(r)[c] + b;
        }
    }

    internal static void ColumnSum(Mat acc, Mat x, int first, int step)
    {
        for (int c = 0; c < x.Cols; c++)
        {
            float a = acc.Data[c];
            for (int r = first; r < x.Rows; r += step)
                a += x.Row(r)[c];
            acc.Data[c] = a + 0f;
        }
    }

    internal static float SquaredNorm(Mat x)
    {
        var rows = new float[x.Rows];
        for (int r = 0; r < x.Rows; r++)
        {
            var row = new ReadOnlySpan<float>(x.Row(r), x.Cols);
            rows[r] = LaneSumOracle.Dot(row, row);
        }
        return TreeOracle.Sum(rows);
    }
}
