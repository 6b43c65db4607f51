using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>Epilogues over rows that a product has just finished.</summary>
internal static unsafe class EpilogueCpu<V, L> where V : unmanaged where L : struct, ILanes<V>
{
    internal static void Apply(Mat c, int first, int rows, in Epilogue e)
    {
        if (e.Kind == EpilogueKind.None) return;
        for (int i = first; i < first + rows; i++)
        {
            float* y = c.Row(i);
            switch (e.Kind)
            {
                case EpilogueKind.Bias: AddRow(y, y, e.Bias.Data, c.Cols); break;
                case EpilogueKind.BiasResidual:
                    AddRow(y, y, e.Bias.Data, c.Cols);
                    AddRow(y, y, e.Residual.Row(i), c.Cols);
                    break;
                case EpilogueKind.BiasGelu:
                    AddRow(y, y, e.Bias.Data, c.Cols);
                    if (e.Pre.IsEmpty) GeluCpu<V, L>.Forward(y, null, y, c.Cols);
                    else
                    {
                        float* pre = e.Pre.Row(i);
                        Buffer.MemoryCopy(y, pre, c.Cols * sizeof(float), c.Cols * sizeof(float));
                        GeluCpu<V, L>.Forward(y, e.Erf.Row(i), pre, c.Cols);
                    }
                    break;
                case EpilogueKind.GeluBackward: GeluCpu<V, L>.Backward(y, y, e.Pre.Row(i), e.Erf.Row(i), c.Cols); break;
            }
        }
    }

    /// <summary>y = a + b over n floats; y may be a.</summary>
    internal static void AddRow(float* y, float* a, float* b, long n)
    {
        long j = 0;
        for (; j + L.Count <= n; j += L.Count) L.Store(L.Add(L.Load(a + j), L.Load(b + j)), y + j);
        for (; j < n; j++) y[j] = a[j] + b[j];
    }
}
