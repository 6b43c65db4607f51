using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>Conversions. To integers they saturate and NaN gives 0 (PTX ISA, cvt).</summary>
internal static unsafe partial class Opcodes
{
    private static void Convert()
    {
        Add("cvt.f64.f32", "Lw", &Maps.Lane<float, double, FloatToDouble>);
        Add("cvt.rn.f32.f64", "Wl", &Maps.Lane<double, float, DoubleToFloat>);
        Add("cvt.rn.f32.s32", "Ww", &Maps.Lane<int, float, IntToFloat>);
        Add("cvt.rn.f32.u32", "Ww", &Maps.Lane<uint, float, UintToFloat>);
        Add("cvt.rn.f32.s64", "Wl", &Maps.Lane<long, float, LongToFloat>);
        Add("cvt.rn.f64.s32", "Lw", &Maps.Lane<int, double, IntToDouble>);
        Add("cvt.rn.f64.u32", "Lw", &Maps.Lane<uint, double, UintToDouble>);
        Add("cvt.rn.f64.s64", "Ll", &Maps.Lane<long, double, LongToDouble>);
        Add("cvt.rzi.s32.f32", "Ww", &Maps.Lane<float, int, FloatToInt>);
        Add("cvt.rzi.s32.f64", "Wl", &Maps.Lane<double, int, DoubleToInt>);
        Add("cvt.rzi.s64.f64", "Ll", &Maps.Lane<double, long, DoubleToLong>);
        Add("cvt.s64.s32", "Lw", &Maps.Lane<int, long, IntToLong>);
        Add("cvt.u64.u32 cvt.s64.u32", "Lw", &Maps.Lane<uint, ulong, UintToUlong>);
        Add("cvt.u32.u64 cvt.s32.s64 cvt.u32.s64", "Wl", &Maps.Lane<ulong, uint, UlongToUint>);
        Add("cvta.to.global.u64 cvta.global.u64 cvta.to.const.u64", "Ll", &Maps.Unary<long, Same<long>>);
        Add("cvta.shared.u64", "Ll", &Maps.Unary<long, ToGeneric>);
        Add("cvta.to.shared.u64", "Ll", &Maps.Unary<long, FromGeneric>);
    }

    // csharpier-ignore-start - a table
    private readonly struct FloatToDouble : ILane<float, double> { public static double Of(float a) => a; }
    private readonly struct DoubleToFloat : ILane<double, float> { public static float Of(double a) => double.IsNaN(a) ? BitConverter.Int32BitsToSingle(0x7fffffff) : (float)a; }
    private readonly struct IntToFloat : ILane<int, float> { public static float Of(int a) => a; }
    private readonly struct UintToFloat : ILane<uint, float> { public static float Of(uint a) => a; }
    private readonly struct LongToFloat : ILane<long, float> { public static float Of(long a) => a; }
    private readonly struct IntToDouble : ILane<int, double> { public static double Of(int a) => a; }
    private readonly struct UintToDouble : ILane<uint, double> { public static double Of(uint a) => a; }
    private readonly struct LongToDouble : ILane<long, double> { public static double Of(long a) => a; }
    private readonly struct FloatToInt : ILane<float, int> { public static int Of(float a) => float.IsNaN(a) ? 0 : (int)Math.Clamp((double)a, int.MinValue, int.MaxValue); }
    private readonly struct DoubleToInt : ILane<double, int> { public static int Of(double a) => double.IsNaN(a) ? 0 : (int)Math.Clamp(a, int.MinValue, int.MaxValue); }
    // csharpier-ignore-end

    private readonly struct DoubleToLong : ILane<double, long>
    {
        public static long Of(double a) =>
            double.IsNaN(a) ? 0
            : a >= 9223372036854775808.0 ? long.MaxValue
            : a <= -9223372036854775808.0 ? long.MinValue
            : (long)a;
    }

    // csharpier-ignore-start - a table
    private readonly struct IntToLong : ILane<int, long> { public static long Of(int a) => a; }
    private readonly struct UintToUlong : ILane<uint, ulong> { public static ulong Of(uint a) => a; }
    private readonly struct UlongToUint : ILane<ulong, uint> { public static uint Of(ulong a) => (uint)a; }
    private readonly struct ToGeneric : IUnary<long> { public static Vector512<long> Of(Vector512<long> a) => a + Vector512.Create((long)PtxParser.SharedWindow); }
    private readonly struct FromGeneric : IUnary<long> { public static Vector512<long> Of(Vector512<long> a) => a - Vector512.Create((long)PtxParser.SharedWindow); }
    // csharpier-ignore-end
}
