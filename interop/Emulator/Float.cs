using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>Binary32 and binary64 arithmetic: IEEE, round to nearest even, as .rn says. A binary32 NaN result is 7fffffff (PTX ISA, section on floating point).</summary>
internal static unsafe partial class Opcodes
{
    private static void Float()
    {
        Add("add.rn.f32", "Www", &Maps.Binary<float, AddF>);
        Add("sub.rn.f32", "Www", &Maps.Binary<float, SubF>);
        Add("mul.rn.f32", "Www", &Maps.Binary<float, MulF>);
        Add("div.rn.f32", "Www", &Maps.Binary<float, DivF>);
        Add("fma.rn.f32", "Wwww", &Maps.Ternary<float, FmaF>);
        Add("sqrt.rn.f32", "Ww", &Maps.Unary<float, SqrtF>);
        Add("rcp.rn.f32", "Ww", &Maps.Unary<float, RcpF>);
        Add("neg.f32", "Ww", &Maps.Unary<float, NegF>);
        Add("abs.f32", "Ww", &Maps.Unary<float, AbsF>);
        Add("add.rn.f64", "Lll", &Maps.Binary<double, AddD>);
        Add("sub.rn.f64", "Lll", &Maps.Binary<double, SubD>);
        Add("mul.rn.f64", "Lll", &Maps.Binary<double, MulD>);
        Add("div.rn.f64", "Lll", &Maps.Binary<double, DivD>);
        Add("fma.rn.f64", "Llll", &Maps.Ternary<double, FmaD>);
        Add("sqrt.rn.f64", "Ll", &Maps.Unary<double, SqrtD>);
        Add("rcp.rn.f64", "Ll", &Maps.Unary<double, RcpD>);
        Add("neg.f64", "Ll", &Maps.Unary<double, NegD>);
        Add("abs.f64", "Ll", &Maps.Unary<double, AbsD>);
        Add("max.f32", "Www", &Maps.Binary<float, MaxF>);
        Add("copysign.f32", "Www", &Maps.Binary<float, CopySignF>);
        Add("copysign.f64", "Lll", &Maps.Binary<double, CopySignD>);
        Add("setp.eq.f32", "pww", &Maps.Test<float, EqF>);
        Add("setp.neu.f32", "pww", &Maps.Test<float, NeuF>);
        Add("setp.lt.f32", "pww", &Maps.Test<float, LtF>);
        Add("setp.le.f32", "pww", &Maps.Test<float, LeF>);
        Add("setp.gt.f32", "pww", &Maps.Test<float, GtF>);
        Add("setp.ge.f32", "pww", &Maps.Test<float, GeF>);
        Add("setp.ltu.f32", "pww", &Maps.Test<float, LtuF>);
        Add("setp.leu.f32", "pww", &Maps.Test<float, LeuF>);
        Add("setp.gtu.f32", "pww", &Maps.Test<float, GtuF>);
        Add("setp.geu.f32", "pww", &Maps.Test<float, GeuF>);
        Add("setp.nan.f32", "pww", &Maps.Test<float, NanF>);
        Add("setp.num.f32", "pww", &Maps.Test<float, NumF>);
        Add("setp.eq.f64", "pll", &Maps.Test<double, EqD>);
        Add("setp.neu.f64", "pll", &Maps.Test<double, NeuD>);
        Add("setp.lt.f64", "pll", &Maps.Test<double, LtD>);
        Add("setp.le.f64", "pll", &Maps.Test<double, LeD>);
        Add("setp.gt.f64", "pll", &Maps.Test<double, GtD>);
        Add("setp.ge.f64", "pll", &Maps.Test<double, GeD>);
        Add("setp.ltu.f64", "pll", &Maps.Test<double, LtuD>);
        Add("setp.leu.f64", "pll", &Maps.Test<double, LeuD>);
        Add("setp.gtu.f64", "pll", &Maps.Test<double, GtuD>);
        Add("setp.geu.f64", "pll", &Maps.Test<double, GeuD>);
        Add("setp.nan.f64", "pll", &Maps.Test<double, NanD>);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Canonical(Vector512<float> v) => Vector512.ConditionalSelect(Vector512.Equals(v, v), v, Vector512.Create(0x7fffffff).AsSingle());

    private readonly struct AddF : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Canonical(a + b); }
    private readonly struct SubF : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Canonical(a - b); }
    private readonly struct MulF : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Canonical(a * b); }
    private readonly struct DivF : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Canonical(a / b); }
    private readonly struct FmaF : ITernary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Canonical(Vector512.FusedMultiplyAdd(a, b, c)); }
    private readonly struct SqrtF : IUnary<float> { public static Vector512<float> Of(Vector512<float> a) => Canonical(Vector512.Sqrt(a)); }
    private readonly struct RcpF : IUnary<float> { public static Vector512<float> Of(Vector512<float> a) => Canonical(Vector512<float>.One / a); }
    private readonly struct NegF : IUnary<float> { public static Vector512<float> Of(Vector512<float> a) => (a.AsInt32() ^ Vector512.Create(int.MinValue)).AsSingle(); }
    private readonly struct AbsF : IUnary<float> { public static Vector512<float> Of(Vector512<float> a) => Vector512.Abs(a); }
    /// <summary>A NaN loses against a number; +0 is above -0.</summary>
    private readonly struct MaxF : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Canonical(Vector512.MaxNumber(a, b)); }
    private readonly struct CopySignF : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.CopySign(b, a); }
    private readonly struct AddD : IBinary<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => a + b; }
    private readonly struct SubD : IBinary<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => a - b; }
    private readonly struct MulD : IBinary<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => a * b; }
    private readonly struct DivD : IBinary<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => a / b; }
    private readonly struct FmaD : ITernary<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b, Vector512<double> c) => Vector512.FusedMultiplyAdd(a, b, c); }
    private readonly struct SqrtD : IUnary<double> { public static Vector512<double> Of(Vector512<double> a) => Vector512.Sqrt(a); }
    private readonly struct RcpD : IUnary<double> { public static Vector512<double> Of(Vector512<double> a) => Vector512<double>.One / a; }
    private readonly struct NegD : IUnary<double> { public static Vector512<double> Of(Vector512<double> a) => (a.AsInt64() ^ Vector512.Create(long.MinValue)).AsDouble(); }
    private readonly struct AbsD : IUnary<double> { public static Vector512<double> Of(Vector512<double> a) => Vector512.Abs(a); }
    private readonly struct CopySignD : IBinary<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.CopySign(b, a); }

    private readonly struct EqF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.Equals(a, b); }
    private readonly struct NeuF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => ~Vector512.Equals(a, b); }
    private readonly struct LtF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.LessThan(a, b); }
    private readonly struct LeF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.LessThanOrEqual(a, b); }
    private readonly struct GtF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.GreaterThan(a, b); }
    private readonly struct GeF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.GreaterThanOrEqual(a, b); }
    private readonly struct LtuF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => ~Vector512.GreaterThanOrEqual(a, b); }
    private readonly struct LeuF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => ~Vector512.GreaterThan(a, b); }
    private readonly struct GtuF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => ~Vector512.LessThanOrEqual(a, b); }
    private readonly struct GeuF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => ~Vector512.LessThan(a, b); }
    private readonly struct NanF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => ~(Vector512.Equals(a, a) & Vector512.Equals(b, b)); }
    private readonly struct NumF : ITest<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.Equals(a, a) & Vector512.Equals(b, b); }
    private readonly struct EqD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.Equals(a, b); }
    private readonly struct NeuD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => ~Vector512.Equals(a, b); }
    private readonly struct LtD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.LessThan(a, b); }
    private readonly struct LeD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.LessThanOrEqual(a, b); }
    private readonly struct GtD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.GreaterThan(a, b); }
    private readonly struct GeD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.GreaterThanOrEqual(a, b); }
    private readonly struct LtuD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => ~Vector512.GreaterThanOrEqual(a, b); }
    private readonly struct LeuD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => ~Vector512.GreaterThan(a, b); }
    private readonly struct GtuD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => ~Vector512.LessThanOrEqual(a, b); }
    private readonly struct GeuD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => ~Vector512.LessThan(a, b); }
    private readonly struct NanD : ITest<double> { public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => ~(Vector512.Equals(a, a) & Vector512.Equals(b, b)); }
}
