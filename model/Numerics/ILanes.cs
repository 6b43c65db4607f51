namespace LutNative.Model.Numerics;

/// <summary>
/// The witness of one vector width over binary32: a kernel written once over <typeparamref name="V"/> runs at 512, 256
/// and 128 bits and one element at a time, with the same bits, because lanes only ever own different outputs. Integer
/// tricks stay inside the witness, so that kernels have a single vector type.
/// </summary>
public unsafe interface ILanes<V>
    where V : unmanaged
{
    static abstract int Count { get; }
    static abstract V Load(float* p);
    static abstract void Store(V v, float* p);
    static abstract V Set(float x);
    static abstract V Add(V a, V b);
    static abstract V Sub(V a, V b);
    static abstract V Mul(V a, V b);
    static abstract V Div(V a, V b);
    static abstract V Sqrt(V a);

    /// <summary>a*b+c with one rounding.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>a &gt; b ? a : b, by compare and select (NaN in a gives b).</summary>
    static abstract V Larger(V a, V b);

    /// <summary>gate &gt; 0 ? x : +0.</summary>
    static abstract V WherePositive(V gate, V x);

    /// <summary>Whether some lane is above limit (NaN is not).</summary>
    static abstract bool AnyAbove(V x, float limit);

    /// <summary>Correctly rounded e^x.</summary>
    static abstract V Exp(V x);

    /// <summary>Correctly rounded erf(x).</summary>
    static abstract V Erf(V x);

    /// <summary>The same where every |x| is at most 2; elsewhere undefined.</summary>
    static abstract V ErfNear(V x);

    /// <summary>Correctly rounded tanh(x).</summary>
    static abstract V Tanh(V x);

    /// <summary>Correctly rounded ln(x).</summary>
    static abstract V Log(V x);

    /// <summary>Correctly rounded 1/sqrt(x).</summary>
    static abstract V Rsqrt(V x);
}

/// <summary>
/// The witness of one vector width over binary64, in which the correctly rounded functions are computed.
/// </summary>
public interface IDoubles<D>
    where D : unmanaged
{
    static abstract D Set(double x);
    static abstract D Add(D a, D b);
    static abstract D Sub(D a, D b);
    static abstract D Mul(D a, D b);
    static abstract D Div(D a, D b);
    static abstract D Sqrt(D a);
    static abstract D Fma(D a, D b, D c);
    static abstract D Abs(D a);

    /// <summary>Magnitude of a, sign of b.</summary>
    static abstract D CopySign(D a, D b);

    /// <summary>All-ones lanes where a &lt; b (NaN: zeros).</summary>
    static abstract D Less(D a, D b);
    static abstract D Same(D a, D b);
    static abstract D Select(D mask, D a, D b);
    static abstract bool Any(D mask);

    /// <summary>
    /// p times 2^n, n the integer in the low bits of a double that holds 1.5*2^52 + n; |n| &lt; 1000.
    /// </summary>
    static abstract D Scale2(D p, D shifted);

    /// <summary>Positive normal x = 2^k m with sqrt(1/2) &lt;= m &lt; sqrt(2), k as a double.</summary>
    static abstract D SplitLog(D x, out D m);

    /// <summary>r, moved one step toward e where e is not zero and r's last bit is even: rounding to odd.</summary>
    static abstract D RoundOdd(D r, D e);
}
