using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>
/// Binary32 and binary64 arithmetic: IEEE, round to nearest even, as .rn says. A binary32 NaN result is 7fffffff (PTX
/// ISA, section on floating point).
/// </summary>
internal static unsafe partial class Opcodes
{
    private static void Float()
    {
        Add("add.rn.f32", "Www", &Maps.Binary<float, Canonical2<Plus<float>>>);
        Add("sub.rn.f32", "Www", &Maps.Binary<float, Canonical2<Minus<float>>>);
        Add("mul.rn.f32", "Www", &Maps.Binary<float, Canonical2<Times<float>>>);
        Add("div.rn.f32", "Www", &Maps.Binary<float, Canonical2<Over<float>>>);
        Add("fma.rn.f32", "Wwww", &Maps.Ternary<float, FmaF>);
        Add("sqrt.rn.f32", "Ww", &Maps.Unary<float, Canonical1<Root<float>>>);
        Add("rcp.rn.f32", "Ww", &Maps.Unary<float, Canonical1<Reciprocal<float>>>);
        Add("neg.f32", "Ww", &Maps.Unary<float, NegF>);
        Add("abs.f32", "Ww", &Maps.Unary<float, Magnitude<float>>);
        Add("add.rn.f64", "Lll", &Maps.Binary<double, Plus<double>>);
        Add("sub.rn.f64", "Lll", &Maps.Binary<double, Minus<double>>);
        Add("mul.rn.f64", "Lll", &Maps.Binary<double, Times<double>>);
        Add("div.rn.f64", "Lll", &Maps.Binary<double, Over<double>>);
        Add("fma.rn.f64", "Llll", &Maps.Ternary<double, FmaD>);
        Add("sqrt.rn.f64", "Ll", &Maps.Unary<double, Root<double>>);
        Add("rcp.rn.f64", "Ll", &Maps.Unary<double, Reciprocal<double>>);
        Add("neg.f64", "Ll", &Maps.Unary<double, NegD>);
        Add("abs.f64", "Ll", &Maps.Unary<double, Magnitude<double>>);
        Add("max.f32", "Www", &Maps.Binary<float, MaxF>);
        Add("copysign.f32", "Www", &Maps.Binary<float, CopySignF>);
        Add("copysign.f64", "Lll", &Maps.Binary<double, CopySignD>);
        Add("setp.eq.f32", "pww", &Maps.Test<float, Equal<float>>);
        Add("setp.neu.f32", "pww", &Maps.Test<float, Not<float, Equal<float>>>);
        Add("setp.lt.f32", "pww", &Maps.Test<float, Less<float>>);
        Add("setp.le.f32", "pww", &Maps.Test<float, LessOrEqual<float>>);
        Add("setp.gt.f32", "pww", &Maps.Test<float, Greater<float>>);
        Add("setp.ge.f32", "pww", &Maps.Test<float, GreaterOrEqual<float>>);
        Add("setp.ltu.f32", "pww", &Maps.Test<float, Not<float, GreaterOrEqual<float>>>);
        Add("setp.leu.f32", "pww", &Maps.Test<float, Not<float, Greater<float>>>);
        Add("setp.gtu.f32", "pww", &Maps.Test<float, Not<float, LessOrEqual<float>>>);
        Add("setp.geu.f32", "pww", &Maps.Test<float, Not<float, Less<float>>>);
        Add("setp.nan.f32", "pww", &Maps.Test<float, Not<float, Ordered<float>>>);
        Add("setp.num.f32", "pww", &Maps.Test<float, Ordered<float>>);
        Add("setp.eq.f64", "pll", &Maps.Test<double, Equal<double>>);
        Add("setp.neu.f64", "pll", &Maps.Test<double, Not<double, Equal<double>>>);
        Add("setp.lt.f64", "pll", &Maps.Test<double, Less<double>>);
        Add("setp.le.f64", "pll", &Maps.Test<double, LessOrEqual<double>>);
        Add("setp.gt.f64", "pll", &Maps.Test<double, Greater<double>>);
        Add("setp.ge.f64", "pll", &Maps.Test<double, GreaterOrEqual<double>>);
        Add("setp.ltu.f64", "pll", &Maps.Test<double, Not<double, GreaterOrEqual<double>>>);
        Add("setp.leu.f64", "pll", &Maps.Test<double, Not<double, Greater<double>>>);
        Add("setp.gtu.f64", "pll", &Maps.Test<double, Not<double, LessOrEqual<double>>>);
        Add("setp.geu.f64", "pll", &Maps.Test<double, Not<double, Less<double>>>);
        Add("setp.nan.f64", "pll", &Maps.Test<double, Not<double, Ordered<double>>>);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Canonical(Vector512<float> v) =>
        Vector512.ConditionalSelect(Vector512.Equals(v, v), v, Vector512.Create(0x7fffffff).AsSingle());

    // csharpier-ignore-start - a table
    private readonly struct Canonical1<O> : IUnary<float> where O : IUnary<float> { public static Vector512<float> Of(Vector512<float> a) => Canonical(O.Of(a)); }
    private readonly struct Canonical2<O> : IBinary<float> where O : IBinary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Canonical(O.Of(a, b)); }
    private readonly struct FmaF : ITernary<float> { public static Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Canonical(Vector512.FusedMultiplyAdd(a, b, c)); }
    private readonly struct NegF : IUnary<float> { public static Vector512<float> Of(Vector512<float> a) => (a.AsInt32() ^ Vector512.Create(int.MinValue)).AsSingle(); }
    // csharpier-ignore-end
    /// <summary>A NaN loses against a number; +0 is above -0.</summary>
    // csharpier-ignore-start - a table
    private readonly struct MaxF : IBinary<float>
    {
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) =>
            Canonical(Vector512.MaxNumber(a, b));
    }

    private readonly struct CopySignF : IBinary<float>
    {
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) => Vector512.CopySign(b, a);
    }

    private readonly struct FmaD : ITernary<double>
    {
        public static Vector512<double> Of(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
            Vector512.FusedMultiplyAdd(a, b, c);
    }

    private readonly struct NegD : IUnary<double>
    {
        public static Vector512<double> Of(Vector512<double> a) =>
            (a.AsInt64() ^ Vector512.Create(long.MinValue)).AsDouble();
    }

    private readonly struct CopySignD : IBinary<double>
    {
        public static Vector512<double> Of(Vector512<double> a, Vector512<double> b) => Vector512.CopySign(b, a);
    }
    // csharpier-ignore-end
}
