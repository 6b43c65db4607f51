using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class PoolingCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Forward(Mat y, Mat x, int tokens)
    {
        for (int s = 0; s < y.Rows; s++)
        {
            int c = 0;
            for (; c + L.Count <= y.Cols; c += L.Count)
                Mean<V, L>(y.Row(s) + c, x.Row(s * tokens + 1) + c, x.Cols, tokens - 1);
            for (; c < y.Cols; c++)
                Mean<float, Lanes1>(y.Row(s) + c, x.Row(s * tokens + 1) + c, x.Cols, tokens - 1);
        }
    }

    internal static void Backward(Mat dx, Mat dy, int tokens)
    {
        for (int s = 0; s < dy.Rows; s++)
        {
            new Span<float>(dx.Row(s * tokens), dx.Cols).Clear();
            float* first = dx.Row(s * tokens + 1);
            for (int c = 0; c < dx.Cols; c++)
                first[c] = dy.Row(s)[c] / (tokens - 1);
            for (int t = 2; t < tokens; t++)
                Buffer.MemoryCopy(first, dx.Row(s * tokens + t), dx.Cols * sizeof(float), dx.Cols * sizeof(float));
        }
    }

    private static void Mean<U, K>(float* y, float* x, int stride, int count)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U acc = K.Set(0f);
        for (int t = 0; t < count; t++, x += stride)
            acc = K.Add(acc, K.Load(x));
        K.Store(K.Div(K.Add(acc, K.Set(0f)), K.Set(count)), y);
    }
}
