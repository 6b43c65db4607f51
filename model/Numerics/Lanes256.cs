using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Model.Numerics;

/// <summary>8 floats in a 256-bit vector.</summary>
public readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    public static int Count => 8;

    public static Vector256<float> Load(float* p) => Vector256.Load(p);

    public static void Store(Vector256<float> v, float* p) => v.Store(p);

    public static Vector256<float> Set(float x) => Vector256.Create(x);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static Vector256<float> Sub(Vector256<float> a, Vector256<float> b) => a - b;

    public static Vector256<float> Mul(Vector256<float> a, Vector256<float> b) => a * b;

    public static Vector256<float> Div(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> Sqrt(Vector256<float> a) => Vector256.Sqrt(a);

    public static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.FusedMultiplyAdd(a, b, c);

    public static Vector256<float> Larger(Vector256<float> a, Vector256<float> b) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(a, b), a, b);

    public static Vector256<float> WherePositive(Vector256<float> gate, Vector256<float> x) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(gate, Vector256<float>.Zero), x, Vector256<float>.Zero);

    public static bool AnyAbove(Vector256<float> x, float limit) =>
        Vector256.GreaterThanAny(x, Vector256.Create(limit));

    public static Vector256<float> Rsqrt(Vector256<float> x)
    {
        var (lo, hi) = Vector256.Widen(x);
        var one = Vector256.Create(1.0);
        return Vector256.Narrow(one / Vector256.Sqrt(lo), one / Vector256.Sqrt(hi));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        var (lo, hi) = Vector256.Widen(x);
        return Vector256.Narrow(
            UnarySimd.Exp<Vector256<double>, Doubles256>(lo),
            UnarySimd.Exp<Vector256<double>, Doubles256>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Erf(Vector256<float> x)
    {
        var (lo, hi) = Vector256.Widen(x);
        return Vector256.Narrow(
            UnarySimd.Erf<Vector256<double>, Doubles256>(lo),
            UnarySimd.Erf<Vector256<double>, Doubles256>(hi)
        );
    }

    public static Vector256<float> ErfNear(Vector256<float> x)
    {
        var (lo, hi) = Vector256.Widen(x);
        return Vector256.Narrow(
            UnarySimd.ErfNear<Vector256<double>, Doubles256>(lo),
            UnarySimd.ErfNear<Vector256<double>, Doubles256>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        var (lo, hi) = Vector256.Widen(x);
        return Vector256.Narrow(
            UnarySimd.Tanh<Vector256<double>, Doubles256>(lo),
            UnarySimd.Tanh<Vector256<double>, Doubles256>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Log(Vector256<float> x)
    {
        var (lo, hi) = Vector256.Widen(x);
        return Vector256.Narrow(
            UnarySimd.Log<Vector256<double>, Doubles256>(lo),
            UnarySimd.Log<Vector256<double>, Doubles256>(hi)
        );
    }
}

/// <summary>4 doubles in a 256-bit vector.</summary>
public readonly struct Doubles256 : IDoubles<Vector256<double>>
{
    public static Vector256<double> Set(double x) => Vector256.Create(x);

    public static Vector256<double> Add(Vector256<double> a, Vector256<double> b) => a + b;

    public static Vector256<double> Sub(Vector256<double> a, Vector256<double> b) => a - b;

    public static Vector256<double> Mul(Vector256<double> a, Vector256<double> b) => a * b;

    public static Vector256<double> Div(Vector256<double> a, Vector256<double> b) => a / b;

    public static Vector256<double> Sqrt(Vector256<double> a) => Vector256.Sqrt(a);

    public static Vector256<double> Fma(Vector256<double> a, Vector256<double> b, Vector256<double> c) =>
        Vector256.FusedMultiplyAdd(a, b, c);

    public static Vector256<double> Abs(Vector256<double> a) => Vector256.Abs(a);

    public static Vector256<double> CopySign(Vector256<double> a, Vector256<double> b) =>
        Vector256.ConditionalSelect(Vector256.Create(-0.0), b, a);

    public static Vector256<double> Less(Vector256<double> a, Vector256<double> b) => Vector256.LessThan(a, b);

    public static Vector256<double> Same(Vector256<double> a, Vector256<double> b) => Vector256.Equals(a, b);

    public static Vector256<double> Select(Vector256<double> mask, Vector256<double> a, Vector256<double> b) =>
        Vector256.ConditionalSelect(mask, a, b);

    public static bool Any(Vector256<double> mask) => mask.AsInt64() != Vector256<long>.Zero;

    public static Vector256<double> Scale2(Vector256<double> p, Vector256<double> shifted) =>
        (p.AsInt64() + (shifted.AsInt64() << 52)).AsDouble();

    public static Vector256<double> SplitLog(Vector256<double> x, out Vector256<double> m)
    {
        var moved = x.AsInt64() + Vector256.Create(Unary.OneMinusHalfRootBits);
        m = ((moved & Vector256.Create(Unary.MantissaBits)) + Vector256.Create(Unary.HalfRootBits)).AsDouble();
        var k = (moved >>> 52) - Vector256.Create(1023L);
        return (k + Vector256.Create(Unary.ShifterBits)).AsDouble() - Vector256.Create(Unary.Shifter);
    }

    public static Vector256<double> RoundOdd(Vector256<double> r, Vector256<double> e)
    {
        var bits = r.AsInt64();
        var even = Vector256.Equals(bits & Vector256<long>.One, Vector256<long>.Zero);
        var inexact = ~Vector256.Equals(e, Vector256<double>.Zero).AsInt64();
        // toward e: away from zero when r and e have the same sign, else toward zero
        var step = Vector256.ConditionalSelect(
            Vector256.GreaterThanOrEqual(bits ^ e.AsInt64(), Vector256<long>.Zero),
            Vector256<long>.One,
            Vector256.Create(-1L)
        );
        return (bits + (step & even & inexact)).AsDouble();
    }
}
