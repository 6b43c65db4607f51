using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

internal static unsafe class GeluCpu<V, L> where V : unmanaged where L : struct, ILanes<V>
{
    internal static void Forward(float* y, float* erf, float* x, long n)
    {
        long i = 0;
        for (; i + L.Count <= n; i += L.Count) ForwardAt<V, L>(y + i, erf == null ? null : erf + i, x + i);
        for (; i < n; i++) ForwardAt<float, Lanes1>(y + i, erf == null ? null : erf + i, x + i);
    }

    /// <summary>y = GELU(x + bias); pre = x + bias and erf are kept unless null.</summary>
    internal static void ForwardBias(float* y, float* pre, float* erf, float* x, float* bias, long n)
    {
        long i = 0;
        for (; i + L.Count <= n; i += L.Count) ForwardBiasAt<V, L>(y + i, pre == null ? null : pre + i, erf == null ? null : erf + i, x + i, bias + i);
        for (; i < n; i++) ForwardBiasAt<float, Lanes1>(y + i, pre == null ? null : pre + i, erf == null ? null : erf + i, x + i, bias + i);
    }

    internal static void Backward(float* dx, float* dy, float* x, float* erf, long n)
    {
        long i = 0;
        for (; i + L.Count <= n; i += L.Count) BackwardAt<V, L>(dx + i, dy + i, x + i, erf + i);
        for (; i < n; i++) BackwardAt<float, Lanes1>(dx + i, dy + i, x + i, erf + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ForwardAt<U, K>(float* y, float* erf, float* x) where U : unmanaged where K : struct, ILanes<U>
    {
        U v = K.Load(x), e = K.Erf(K.Mul(v, K.Set(Gelu.RootHalf)));
        if (erf != null) K.Store(e, erf);
        K.Store(Gated<U, K>(v, e), y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ForwardBiasAt<U, K>(float* y, float* pre, float* erf, float* x, float* bias) where U : unmanaged where K : struct, ILanes<U>
    {
        U v = K.Add(K.Load(x), K.Load(bias)), e = K.Erf(K.Mul(v, K.Set(Gelu.RootHalf)));
        if (pre != null) K.Store(v, pre);
        if (erf != null) K.Store(e, erf);
        K.Store(Gated<U, K>(v, e), y);
    }

    /// <summary>(0.5 v)(1 + erf).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static U Gated<U, K>(U v, U e) where U : unmanaged where K : struct, ILanes<U> => K.Mul(K.Mul(K.Set(0.5f), v), K.Add(K.Set(1f), e));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BackwardAt<U, K>(float* dx, float* dy, float* x, float* erf) where U : unmanaged where K : struct, ILanes<U>
    {
        U v = K.Load(x), cdf = K.Mul(K.Set(0.5f), K.Add(K.Set(1f), K.Load(erf)));
        U pdf = K.Mul(K.Exp(K.Mul(K.Set(-0.5f), K.Mul(v, v))), K.Set(Gelu.PdfScale));
        K.Store(K.Mul(K.Load(dy), K.Fma(v, pdf, cdf)), dx);
    }
}
