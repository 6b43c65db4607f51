using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>What happens to a finished strip on its way to c: one pass, every operand touched once.</summary>
internal static unsafe class EpilogueCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    /// <summary>c[i0 + i, j + x] = epilogue(strip[i, x]) for rows x width elements.</summary>
    internal static void Apply(Mat c, int i0, int rows, int j, int width, float* strip, int lds, in Epilogue e)
    {
        float* bias = e.Bias.Data + j;
        switch (e.Kind)
        {
            case EpilogueKind.None:
                for (int i = 0; i < rows; i++)
                    GemmPacking<V, L>.CopyRow(c.Row(i0 + i) + j, strip + i * lds, width);
                break;
            case EpilogueKind.Bias:
                for (int i = 0; i < rows; i++)
                    AddRow(c.Row(i0 + i) + j, strip + i * lds, bias, width);
                break;
            case EpilogueKind.BiasResidual:
                for (int i = 0; i < rows; i++)
                    AddRows(c.Row(i0 + i) + j, strip + i * lds, bias, e.Residual.Row(i0 + i) + j, width);
                break;
            case EpilogueKind.BiasGelu:
                bool keep = !e.Pre.IsEmpty;
                GeluCpu<V, L>.ForwardBias(
                    c.Row(i0) + j,
                    keep ? e.Pre.Row(i0) + j : null,
                    keep ? e.Erf.Row(i0) + j : null,
                    c.Cols,
                    strip,
                    lds,
                    bias,
                    rows,
                    width
                );
                break;
            case EpilogueKind.GeluBackward:
                GeluCpu<V, L>.Backward(
                    c.Row(i0) + j,
                    e.Pre.Row(i0) + j,
                    e.Erf.Row(i0) + j,
                    c.Cols,
                    strip,
                    lds,
                    rows,
                    width
                );
                break;
        }
    }

    /// <summary>y = a + b over n floats; y may be a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddRow(float* y, float* a, float* b, long n)
    {
        long j = 0;
        for (; j + L.Count <= n; j += L.Count)
            L.Store(L.Add(L.Load(a + j), L.Load(b + j)), y + j);
        for (; j < n; j++)
            y[j] = a[j] + b[j];
    }

    /// <summary>y = (a + b) + c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRows(float* y, float* a, float* b, float* c, long n)
    {
        long j = 0;
        for (; j + L.Count <= n; j += L.Count)
            L.Store(L.Add(L.Add(L.Load(a + j), L.Load(b + j)), L.Load(c + j)), y + j);
        for (; j < n; j++)
            y[j] = a[j] + b[j] + c[j];
    }
}
