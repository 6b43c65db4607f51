using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Model.Numerics;

/// <summary>4 floats in a 128-bit vector.</summary>
public readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    public static int Count => 4;

    public static Vector128<float> Load(float* p) => Vector128.Load(p);

    public static void Store(Vector128<float> v, float* p) => v.Store(p);

    public static Vector128<float> Set(float x) => Vector128.Create(x);

    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    public static Vector128<float> Sub(Vector128<float> a, Vector128<float> b) => a - b;

    public static Vector128<float> Mul(Vector128<float> a, Vector128<float> b) => a * b;

    public static Vector128<float> Div(Vector128<float> a, Vector128<float> b) => a / b;

    public static Vector128<float> Sqrt(Vector128<float> a) => Vector128.Sqrt(a);

    public static Vector128<float> Fma(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    public static Vector128<float> Larger(Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(a, b), a, b);

    public static Vector128<float> WherePositive(Vector128<float> gate, Vector128<float> x) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(gate, Vector128<float>.Zero), x, Vector128<float>.Zero);

    public static bool AnyAbove(Vector128<float> x, float limit) =>
        Vector128.GreaterThanAny(x, Vector128.Create(limit));

    public static Vector128<float> Rsqrt(Vector128<float> x)
    {
        var (lo, hi) = Vector128.Widen(x);
        var one = Vector128.Create(1.0);
        return Vector128.Narrow(one / Vector128.Sqrt(lo), one / Vector128.Sqrt(hi));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp(Vector128<float> x)
    {
        var (lo, hi) = Vector128.Widen(x);
        return Vector128.Narrow(
            UnarySimd.Exp<Vector128<double>, Doubles128>(lo),
            UnarySimd.Exp<Vector128<double>, Doubles128>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Erf(Vector128<float> x)
    {
        var (lo, hi) = Vector128.Widen(x);
        return Vector128.Narrow(
            UnarySimd.Erf<Vector128<double>, Doubles128>(lo),
            UnarySimd.Erf<Vector128<double>, Doubles128>(hi)
        );
    }

    public static Vector128<float> ErfNear(Vector128<float> x)
    {
        var (lo, hi) = Vector128.Widen(x);
        return Vector128.Narrow(
            UnarySimd.ErfNear<Vector128<double>, Doubles128>(lo),
            UnarySimd.ErfNear<Vector128<double>, Doubles128>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Tanh(Vector128<float> x)
    {
        var (lo, hi) = Vector128.Widen(x);
        return Vector128.Narrow(
            UnarySimd.Tanh<Vector128<double>, Doubles128>(lo),
            UnarySimd.Tanh<Vector128<double>, Doubles128>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Log(Vector128<float> x)
    {
        var (lo, hi) = Vector128.Widen(x);
        return Vector128.Narrow(
            UnarySimd.Log<Vector128<double>, Doubles128>(lo),
            UnarySimd.Log<Vector128<double>, Doubles128>(hi)
        );
    }
}

/// <summary>2 doubles in a 128-bit vector.</summary>
public readonly struct Doubles128 : IDoubles<Vector128<double>>
{
    public static Vector128<double> Set(double x) => Vector128.Create(x);

    public static Vector128<double> Add(Vector128<double> a, Vector128<double> b) => a + b;

    public static Vector128<double> Sub(Vector128<double> a, Vector128<double> b) => a - b;

    public static Vector128<double> Mul(Vector128<double> a, Vector128<double> b) => a * b;

    public static Vector128<double> Div(Vector128<double> a, Vector128<double> b) => a / b;

    public static Vector128<double> Sqrt(Vector128<double> a) => Vector128.Sqrt(a);

    public static Vector128<double> Fma(Vector128<double> a, Vector128<double> b, Vector128<double> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    public static Vector128<double> Abs(Vector128<double> a) => Vector128.Abs(a);

    public static Vector128<double> CopySign(Vector128<double> a, Vector128<double> b) =>
        Vector128.ConditionalSelect(Vector128.Create(-0.0), b, a);

    public static Vector128<double> Less(Vector128<double> a, Vector128<double> b) => Vector128.LessThan(a, b);

    public static Vector128<double> Same(Vector128<double> a, Vector128<double> b) => Vector128.Equals(a, b);

    public static Vector128<double> Select(Vector128<double> mask, Vector128<double> a, Vector128<double> b) =>
        Vector128.ConditionalSelect(mask, a, b);

    public static bool Any(Vector128<double> mask) => mask.AsInt64() != Vector128<long>.Zero;

    public static Vector128<double> Scale2(Vector128<double> p, Vector128<double> shifted) =>
        (p.AsInt64() + (shifted.AsInt64() << 52)).AsDouble();

    public static Vector128<double> SplitLog(Vector128<double> x, out Vector128<double> m)
    {
        var moved = x.AsInt64() + Vector128.Create(Unary.OneMinusHalfRootBits);
        m = ((moved & Vector128.Create(Unary.MantissaBits)) + Vector128.Create(Unary.HalfRootBits)).AsDouble();
        var k = (moved >>> 52) - Vector128.Create(1023L);
        return (k + Vector128.Create(Unary.ShifterBits)).AsDouble() - Vector128.Create(Unary.Shifter);
    }

    public static Vector128<double> RoundOdd(Vector128<double> r, Vector128<double> e)
    {
        var bits = r.AsInt64();
        var even = Vector128.Equals(bits & Vector128<long>.One, Vector128<long>.Zero);
        var inexact = ~Vector128.Equals(e, Vector128<double>.Zero).AsInt64();
        // toward e: away from zero when r and e have the same sign, else toward zero
        var step = Vector128.ConditionalSelect(
            Vector128.GreaterThanOrEqual(bits ^ e.AsInt64(), Vector128<long>.Zero),
            Vector128<long>.One,
            Vector128.Create(-1L)
        );
        return (bits + (step & even & inexact)).AsDouble();
    }
}
