using System.Runtime.CompilerServices;

namespace LutNative.Model.Numerics;

/// <summary>
/// The functions of <see cref="Unary"/> over a vector of doubles that hold floats: every branch of the scalar
/// definition is computed only if some lane needs it, then selected. The caller rounds to binary32 once.
/// </summary>
internal static class UnarySimd
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static D ExpD<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D shifter = W.Set(Unary.Shifter);
        D t = W.Fma(x, W.Set(Unary.Log2E), shifter);
        D k = W.Sub(t, shifter);
        D r = W.Fma(k, W.Set(-Unary.Ln2Hi), x);
        r = W.Fma(k, W.Set(-Unary.Ln2Lo), r);
        D p = W.Set(1.0 / 479001600);
        p = W.Fma(p, r, W.Set(1.0 / 39916800));
        p = W.Fma(p, r, W.Set(1.0 / 3628800));
        p = W.Fma(p, r, W.Set(1.0 / 362880));
        p = W.Fma(p, r, W.Set(1.0 / 40320));
        p = W.Fma(p, r, W.Set(1.0 / 5040));
        p = W.Fma(p, r, W.Set(1.0 / 720));
        p = W.Fma(p, r, W.Set(1.0 / 120));
        p = W.Fma(p, r, W.Set(1.0 / 24));
        p = W.Fma(p, r, W.Set(1.0 / 6));
        p = W.Fma(p, r, W.Set(0.5));
        p = W.Fma(p, r, W.Set(1.0));
        p = W.Fma(p, r, W.Set(1.0));
        return W.Scale2(p, t);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static D Exp<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D y = ExpD<D, W>(x);
        y = W.Select(W.Less(W.Set(89.0), x), W.Set(double.PositiveInfinity), y);
        y = W.Select(W.Less(x, W.Set(-104.0)), W.Set(0.0), y);
        return W.Select(W.Same(x, x), y, x);
    }

    /// <summary>
    /// Up to 2 one polynomial, erf(x) = x + x H(x^2 - 2), where the scalar definition has two branches with a division:
    /// most arguments of GELU lie there, and a vector seldom needs more. H is our own fit (degree 16, least squares in
    /// 60 digits on Chebyshev nodes, reweighted to the relative error of erf: 2^-53.7 with rounded coefficients; in
    /// powers of x^2 - 2 nothing cancels). That it rounds to the same float is tested for every float.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static D ErfNear<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D u = W.Fma(x, x, W.Set(-2.0));
        D h = W.Set(2.576375703286432e-16);
        h = W.Fma(h, u, W.Set(-4.520365225465119e-15));
        h = W.Fma(h, u, W.Set(6.924384589713228e-14));
        h = W.Fma(h, u, W.Set(-1.05027192481602e-12));
        h = W.Fma(h, u, W.Set(1.4940237159534567e-11));
        h = W.Fma(h, u, W.Set(-1.9752062062256976e-10));
        h = W.Fma(h, u, W.Set(2.4177762331030922e-09));
        h = W.Fma(h, u, W.Set(-2.723880285331758e-08));
        h = W.Fma(h, u, W.Set(2.8047268727789343e-07));
        h = W.Fma(h, u, W.Set(-2.6183088711347126e-06));
        h = W.Fma(h, u, W.Set(2.1954553496820988e-05));
        h = W.Fma(h, u, W.Set(-0.00016358986987025616));
        h = W.Fma(h, u, W.Set(0.0010705215357373174));
        h = W.Fma(h, u, W.Set(-0.006082847181147105));
        h = W.Fma(h, u, W.Set(0.029869784652463212));
        h = W.Fma(h, u, W.Set(-0.13055593046562247));
        h = W.Fma(h, u, W.Set(-0.32506676396034495));
        return W.Fma(x, h, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static D Erf<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D y = ErfNear<D, W>(x);
        D beyond = W.Less(W.Set(2.0), W.Abs(x));
        return W.Any(beyond) ? W.Select(beyond, ErfTail<D, W>(x), y) : y;
    }

    /// <summary>erf beyond 2, as the scalar definition: 1 - e^(-x^2 - 0.5625 + R/S)/x up to 4, then 1.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static D ErfTail<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D a = W.Abs(x);
        D s = W.Div(W.Set(1.0), W.Mul(a, a));
        D low = W.Less(a, W.Set(1 / 0.35));
        D ratio = W.Div(Horner<D, W>(s, ErfTable.LowR), Horner<D, W>(s, ErfTable.LowS));
        ratio = W.Select(low, ratio, W.Div(Horner<D, W>(s, ErfTable.HighR), Horner<D, W>(s, ErfTable.HighS)));
        D e = ExpD<D, W>(W.Add(W.Sub(W.Mul(W.Sub(W.Set(0.0), a), a), W.Set(0.5625)), ratio));
        D y = W.Sub(W.Set(1.0), W.Div(e, a));
        return W.CopySign(W.Select(W.Less(W.Set(4.0), a), W.Set(1.0), y), x);
    }

    internal static D Tanh<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D a = W.Abs(x);
        D q = W.Mul(x, x);
        D p = W.Set(-929569.0 / 638512875);
        p = W.Fma(p, q, W.Set(21844.0 / 6081075));
        p = W.Fma(p, q, W.Set(-1382.0 / 155925));
        p = W.Fma(p, q, W.Set(62.0 / 2835));
        p = W.Fma(p, q, W.Set(-17.0 / 315));
        p = W.Fma(p, q, W.Set(2.0 / 15));
        p = W.Fma(p, q, W.Set(-1.0 / 3));
        D near = W.Fma(W.Mul(p, q), x, x);
        D t = ExpD<D, W>(W.Mul(W.Set(-2.0), a));
        D far = W.Div(W.Sub(W.Set(1.0), t), W.Add(W.Set(1.0), t));
        far = W.CopySign(W.Select(W.Less(W.Set(9.5), a), W.Set(1.0), far), x);
        return W.Select(W.Same(x, x), W.Select(W.Less(a, W.Set(0.125)), near, far), x);
    }

    internal static D Log<D, W>(D x)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D k = W.SplitLog(x, out D m);
        D f = W.Sub(m, W.Set(1.0));
        D s = W.Div(f, W.Add(W.Set(2.0), f));
        D half = W.Mul(W.Mul(W.Set(0.5), f), f);
        D z = W.Mul(s, s);
        D r = W.Set(1.479819860511658591e-01);
        r = W.Fma(r, z, W.Set(1.531383769920937332e-01));
        r = W.Fma(r, z, W.Set(1.818357216161805012e-01));
        r = W.Fma(r, z, W.Set(2.222219843214978396e-01));
        r = W.Fma(r, z, W.Set(2.857142874366239149e-01));
        r = W.Fma(r, z, W.Set(3.999999999940941908e-01));
        r = W.Mul(W.Fma(r, z, W.Set(6.666666666666735130e-01)), z);
        D lo = W.Sub(f, W.Sub(half, W.Fma(s, W.Add(half, r), W.Mul(k, W.Set(Unary.LogLn2Lo)))));
        D hi = W.Mul(k, W.Set(Unary.LogLn2Hi));
        D sum = W.Add(hi, lo);
        D bb = W.Sub(sum, hi);
        D e = W.Add(W.Sub(hi, W.Sub(sum, bb)), W.Sub(lo, bb));
        D y = W.Select(W.Same(k, W.Set(0.0)), lo, W.RoundOdd(sum, e));
        y = W.Select(W.Same(x, W.Set(0.0)), W.Set(double.NegativeInfinity), y);
        y = W.Select(W.Same(x, W.Set(double.PositiveInfinity)), x, y);
        D nan = W.Set(double.NaN);
        return W.Select(W.Less(x, W.Set(0.0)), nan, W.Select(W.Same(x, x), y, nan));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static D Horner<D, W>(D z, ReadOnlySpan<double> c)
        where D : unmanaged
        where W : struct, IDoubles<D>
    {
        D p = W.Set(c[^1]);
        for (int i = c.Length - 2; i >= 0; i--)
            p = W.Fma(p, z, W.Set(c[i]));
        return p;
    }
}
