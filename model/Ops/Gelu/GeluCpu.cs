using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

internal static unsafe class GeluCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    /// <summary>ErfNear's range, squared: a float above 2 has a square above 4, rounded or not.</summary>
    private const float NearSquared = 4f;

    internal static void Forward(float* y, float* erf, float* x, long n)
    {
        long i = 0;
        for (; i + L.Count <= n; i += L.Count)
            ForwardAt<V, L>(y + i, erf == null ? null : erf + i, x + i);
        for (; i < n; i++)
            ForwardAt<float, Lanes1>(y + i, erf == null ? null : erf + i, x + i);
    }

    /// <summary>
    /// rows x width elements of a strip: y = GELU(x + bias); pre = x + bias and erf are kept unless null. Arguments
    /// beyond ErfNear's range are few: their vectors are computed once more after the row. (A branch to a call between
    /// the vectors would make the compiler keep all of them in memory.)
    /// </summary>
    internal static void ForwardBias(
        float* y,
        float* pre,
        float* erf,
        nint ld,
        float* x,
        nint ldx,
        float* bias,
        int rows,
        int width
    )
    {
        nint kept = pre == null ? 0 : ld;
        for (int r = 0; r < rows; r++, y += ld, pre += kept, erf += kept, x += ldx)
        {
            bool far = false;
            int j = 0;
            for (; j + L.Count <= width; j += L.Count)
            {
                V v = L.Add(L.Load(x + j), L.Load(bias + j));
                V t = L.Mul(v, L.Set(Gelu.RootHalf));
                V e = L.ErfNear(t);
                far |= L.AnyAbove(L.Mul(t, t), NearSquared);
                if (pre != null)
                {
                    L.Store(v, pre + j);
                    L.Store(e, erf + j);
                }
                L.Store(Gated<V, L>(v, e), y + j);
            }
            if (far)
                FarRow(y, pre, erf, x, bias, j);
            for (; j < width; j++)
                ForwardBiasAt<float, Lanes1>(
                    y + j,
                    pre == null ? null : pre + j,
                    erf == null ? null : erf + j,
                    x + j,
                    bias + j
                );
        }
    }

    private static void FarRow(float* y, float* pre, float* erf, float* x, float* bias, int n)
    {
        for (int i = 0; i < n; i += L.Count)
        {
            V t = L.Mul(L.Add(L.Load(x + i), L.Load(bias + i)), L.Set(Gelu.RootHalf));
            if (L.AnyAbove(L.Mul(t, t), NearSquared))
                ForwardBiasAt<V, L>(y + i, pre == null ? null : pre + i, erf == null ? null : erf + i, x + i, bias + i);
        }
    }

    /// <summary>
    /// The same for a strip of dy. x and erf were written long ago: their next rows are asked for while these are
    /// computed.
    /// </summary>
    internal static void Backward(float* dx, float* x, float* erf, nint ld, float* dy, nint ldy, int rows, int width)
    {
        for (int r = 0; r < rows; r++, dx += ld, x += ld, erf += ld, dy += ldy)
        {
            for (int j = 0; j < width && Sse.IsSupported; j += Line)
            {
                Sse.Prefetch0(x + Ahead * ld + j);
                Sse.Prefetch0(erf + Ahead * ld + j);
            }
            Backward(dx, dy, x, erf, width);
        }
    }

    /// <summary>Floats of a cache line; rows to ask for ahead.</summary>
    private const int Line = 16;
    private const int Ahead = 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Backward(float* dx, float* dy, float* x, float* erf, long n)
    {
        long i = 0;
        for (; i + L.Count <= n; i += L.Count)
            BackwardAt<V, L>(dx + i, dy + i, x + i, erf + i);
        for (; i < n; i++)
            BackwardAt<float, Lanes1>(dx + i, dy + i, x + i, erf + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ForwardAt<U, K>(float* y, float* erf, float* x)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U v = K.Load(x);
        U e = K.Erf(K.Mul(v, K.Set(Gelu.RootHalf)));
        if (erf != null)
            K.Store(e, erf);
        K.Store(Gated<U, K>(v, e), y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ForwardBiasAt<U, K>(float* y, float* pre, float* erf, float* x, float* bias)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U v = K.Add(K.Load(x), K.Load(bias));
        U e = K.Erf(K.Mul(v, K.Set(Gelu.RootHalf)));
        if (pre != null)
            K.Store(v, pre);
        if (erf != null)
            K.Store(e, erf);
        K.Store(Gated<U, K>(v, e), y);
    }

    /// <summary>(0.5 v)(1 + erf).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static U Gated<U, K>(U v, U e)
        where U : unmanaged
        where K : struct, ILanes<U> => K.Mul(K.Mul(K.Set(0.5f), v), K.Add(K.Set(1f), e));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BackwardAt<U, K>(float* dx, float* dy, float* x, float* erf)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U v = K.Load(x);
        U cdf = K.Mul(K.Set(0.5f), K.Add(K.Set(1f), K.Load(erf)));
        U pdf = K.Mul(K.Exp(K.Mul(K.Set(-0.5f), K.Mul(v, v))), K.Set(Gelu.PdfScale));
        K.Store(K.Mul(K.Load(dy), K.Fma(v, pdf, cdf)), dx);
    }
}
