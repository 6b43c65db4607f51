using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Model.Numerics;

/// <summary>16 floats in a 512-bit vector.</summary>
public readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    public static int Count => 16;

    public static Vector512<float> Load(float* p) => Vector512.Load(p);

    public static void Store(Vector512<float> v, float* p) => v.Store(p);

    public static Vector512<float> Set(float x) => Vector512.Create(x);

    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    public static Vector512<float> Sub(Vector512<float> a, Vector512<float> b) => a - b;

    public static Vector512<float> Mul(Vector512<float> a, Vector512<float> b) => a * b;

    public static Vector512<float> Div(Vector512<float> a, Vector512<float> b) => a / b;

    public static Vector512<float> Sqrt(Vector512<float> a) => Vector512.Sqrt(a);

    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    public static Vector512<float> Larger(Vector512<float> a, Vector512<float> b) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(a, b), a, b);

    public static Vector512<float> WherePositive(Vector512<float> gate, Vector512<float> x) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(gate, Vector512<float>.Zero), x, Vector512<float>.Zero);

    public static bool AnyAbove(Vector512<float> x, float limit) =>
        Vector512.GreaterThanAny(x, Vector512.Create(limit));

    public static Vector512<float> Rsqrt(Vector512<float> x)
    {
        var (lo, hi) = Vector512.Widen(x);
        var one = Vector512.Create(1.0);
        return Vector512.Narrow(one / Vector512.Sqrt(lo), one / Vector512.Sqrt(hi));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var (lo, hi) = Vector512.Widen(x);
        return Vector512.Narrow(
            UnarySimd.Exp<Vector512<double>, Doubles512>(lo),
            UnarySimd.Exp<Vector512<double>, Doubles512>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Erf(Vector512<float> x)
    {
        var (lo, hi) = Vector512.Widen(x);
        return Vector512.Narrow(
            UnarySimd.Erf<Vector512<double>, Doubles512>(lo),
            UnarySimd.Erf<Vector512<double>, Doubles512>(hi)
        );
    }

    public static Vector512<float> ErfNear(Vector512<float> x)
    {
        var (lo, hi) = Vector512.Widen(x);
        return Vector512.Narrow(
            UnarySimd.ErfNear<Vector512<double>, Doubles512>(lo),
            UnarySimd.ErfNear<Vector512<double>, Doubles512>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var (lo, hi) = Vector512.Widen(x);
        return Vector512.Narrow(
            UnarySimd.Tanh<Vector512<double>, Doubles512>(lo),
            UnarySimd.Tanh<Vector512<double>, Doubles512>(hi)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        var (lo, hi) = Vector512.Widen(x);
        return Vector512.Narrow(
            UnarySimd.Log<Vector512<double>, Doubles512>(lo),
            UnarySimd.Log<Vector512<double>, Doubles512>(hi)
        );
    }
}

/// <summary>8 doubles in a 512-bit vector.</summary>
public readonly struct Doubles512 : IDoubles<Vector512<double>>
{
    public static Vector512<double> Set(double x) => Vector512.Create(x);

    public static Vector512<double> Add(Vector512<double> a, Vector512<double> b) => a + b;

    public static Vector512<double> Sub(Vector512<double> a, Vector512<double> b) => a - b;

    public static Vector512<double> Mul(Vector512<double> a, Vector512<double> b) => a * b;

    public static Vector512<double> Div(Vector512<double> a, Vector512<double> b) => a / b;

    public static Vector512<double> Sqrt(Vector512<double> a) => Vector512.Sqrt(a);

    public static Vector512<double> Fma(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    public static Vector512<double> Abs(Vector512<double> a) => Vector512.Abs(a);

    public static Vector512<double> CopySign(Vector512<double> a, Vector512<double> b) =>
        Vector512.ConditionalSelect(Vector512.Create(-0.0), b, a);

    public static Vector512<double> Less(Vector512<double> a, Vector512<double> b) => Vector512.LessThan(a, b);

    public static Vector512<double> Same(Vector512<double> a, Vector512<double> b) => Vector512.Equals(a, b);

    public static Vector512<double> Select(Vector512<double> mask, Vector512<double> a, Vector512<double> b) =>
        Vector512.ConditionalSelect(mask, a, b);

    public static bool Any(Vector512<double> mask) => mask.AsInt64() != Vector512<long>.Zero;

    public static Vector512<double> Scale2(Vector512<double> p, Vector512<double> shifted) =>
        (p.AsInt64() + (shifted.AsInt64() << 52)).AsDouble();

    public static Vector512<double> SplitLog(Vector512<double> x, out Vector512<double> m)
    {
        var moved = x.AsInt64() + Vector512.Create(Unary.OneMinusHalfRootBits);
        m = ((moved & Vector512.Create(Unary.MantissaBits)) + Vector512.Create(Unary.HalfRootBits)).AsDouble();
        var k = (moved >>> 52) - Vector512.Create(1023L);
        return (k + Vector512.Create(Unary.ShifterBits)).AsDouble() - Vector512.Create(Unary.Shifter);
    }

    public static Vector512<double> RoundOdd(Vector512<double> r, Vector512<double> e)
    {
        var bits = r.AsInt64();
        var even = Vector512.Equals(bits & Vector512<long>.One, Vector512<long>.Zero);
        var inexact = ~Vector512.Equals(e, Vector512<double>.Zero).AsInt64();
        // toward e: away from zero when r and e have the same sign, else toward zero
        var step = Vector512.ConditionalSelect(
            Vector512.GreaterThanOrEqual(bits ^ e.AsInt64(), Vector512<long>.Zero),
            Vector512<long>.One,
            Vector512.Create(-1L)
        );
        return (bits + (step & even & inexact)).AsDouble();
    }
}
