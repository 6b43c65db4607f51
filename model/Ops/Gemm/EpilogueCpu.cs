using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>What happens to a finished strip on its way to c: one pass, every operand touched once.</summary>
internal static unsafe class EpilogueCpu<V, L> where V : unmanaged where L : struct, ILanes<V>
{
    /// <summary>c[i0 + i, j + x] = epilogue(strip[i, x]) for rows x width elements.</summary>
    internal static void Apply(Mat c, int i0, int rows, int j, int width, float* strip, int lds, in Epilogue e)
    {
        float* bias = e.Bias.Data + j;
        for (int i = 0; i < rows; i++, strip += lds)
        {
            float* y = c.Row(i0 + i) + j;
            switch (e.Kind)
            {
                case EpilogueKind.None: GemmCpu<V, L>.CopyRow(y, strip, width); break;
                case EpilogueKind.Bias: AddRow(y, strip, bias, width); break;
                case EpilogueKind.BiasResidual: AddRows(y, strip, bias, e.Residual.Row(i0 + i) + j, width); break;
                case EpilogueKind.BiasGelu:
                    GeluCpu<V, L>.ForwardBias(y, e.Pre.IsEmpty ? null : e.Pre.Row(i0 + i) + j, e.Pre.IsEmpty ? null : e.Erf.Row(i0 + i) + j, strip, bias, width);
                    break;
                case EpilogueKind.GeluBackward: GeluCpu<V, L>.Backward(y, strip, e.Pre.Row(i0 + i) + j, e.Erf.Row(i0 + i) + j, width); break;
            }
        }
    }

    /// <summary>y = a + b over n floats; y may be a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddRow(float* y, float* a, float* b, long n)
    {
        long j = 0;
        for (; j + L.Count <= n; j += L.Count) L.Store(L.Add(L.Load(a + j), L.Load(b + j)), y + j);
        for (; j < n; j++) y[j] = a[j] + b[j];
    }

    /// <summary>y = (a + b) + c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRows(float* y, float* a, float* b, float* c, long n)
    {
        long j = 0;
        for (; j + L.Count <= n; j += L.Count) L.Store(L.Add(L.Add(L.Load(a + j), L.Load(b + j)), L.Load(c + j)), y + j);
        for (; j < n; j++) y[j] = a[j] + b[j] + c[j];
    }
}
