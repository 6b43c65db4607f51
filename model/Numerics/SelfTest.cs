using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LutNative.Model.Numerics;

/// <summary>
/// Known answers that a machine must give before it may claim the contract (NUMERICS rule 1): fused multiply-add,
/// subnormals, Philox. Run at start and on every worker thread, since a native library may have set flush-to-zero for a
/// thread; <see cref="Drift"/> asks the same again and again while a run computes (rule 14).
/// Sources of the cases: dotnet/runtime#98704 and #133349, musl, msun; Random123's known answers.
/// </summary>
public static class SelfTest
{
    /// <summary>null when this thread may compute; otherwise what is wrong.</summary>
    public static string? Failure()
    {
        if (!(Fma.IsSupported || AdvSimd.IsSupported))
            return "this process has no hardware fused multiply-add (x86-64-v3 or Arm64 is required; "
                + "DOTNET_EnableAVX2=0 also removes it)";
        if (
            BitConverter.DoubleToInt64Bits(
                Math.FusedMultiplyAdd(Opaque(1.0000000000000002), 1.5, -2.220446049250313E-16)
            ) != 0x3ff8000000000000
        )
            return "binary64 fused multiply-add rounds twice";
        if (Bits(MathF.FusedMultiplyAdd(Float(0x97000800), Float(0x1cfff001), Float(0x00010002))) != 0x00010001)
            return "binary32 fused multiply-add is wrong on subnormals";
        if (Bits(MathF.FusedMultiplyAdd(-1.9369631e13f, 2.1513551e-7f, -1.7354427e-24f)) != 0xca7e56df)
            return "binary32 fused multiply-add rounds twice";
        if (Bits(MathF.FusedMultiplyAdd(0.9474001f, 4.639901e-7f, -0.24325085f)) != 0xbe7916a3)
            return "binary32 fused multiply-add rounds twice";
        if (Bits((float)Opaque(1e-30) * 1e-10f) != 0x000116c2)
            return "subnormal results are flushed to zero on this thread";
        if (Bits((float)Opaque(-0.0) + 0f) != 0)
            return "x + 0 was folded away: -0 must become +0";
        if (
            Philox.Block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0)
            != (0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)
        )
            return "Philox4x32-10 does not give its known answer";
        return null;
    }

    // in fields, so that no compiler can know them
    private static volatile float one = 1f;
    private static volatile float oneUp = 1.0000001f;
    private static volatile float halfUlp = 5.9604645e-8f;
    private static volatile float small = 7.8886e-31f;
    private static volatile float smaller = 9.3132257e-10f;
    private static volatile float subnormal = 7.346e-40f;

    /// <summary>
    /// The same question in few operations, for the steps of a run: does this thread still round to nearest, and does
    /// it keep subnormals, as operands and as results? Vector and scalar operations obey the same register (MXCSR,
    /// FPCR), and no runtime lets it be read, so that it is asked by arithmetic. null when it does; some nanoseconds.
    /// </summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    public static string? Drift()
    {
        // 1 + half an ulp is a tie that goes down, the next float + half an ulp a tie that goes up: each other way of
        // rounding gets one of them wrong
        float half = halfUlp;
        float tieDown = one + half;
        float tieUp = oneUp + half;
        float result = small * smaller;
        float operand = subnormal * 1048576f;
        return Bits(tieDown) == 0x3f800000 && Bits(tieUp) == 0x3f800002 && result != 0 && operand != 0
            ? null
            : Name(tieDown, tieUp, result, operand);
    }

    private static string Name(float tieDown, float tieUp, float result, float operand) =>
        Bits(tieDown) != 0x3f800000 ? "this thread rounds up, not to nearest"
        : Bits(tieUp) != 0x3f800002 ? "this thread rounds down or to zero, not to nearest"
        : result == 0 ? "subnormal results are flushed to zero on this thread"
        : "subnormal operands are taken for zero on this thread";

    private static float Float(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    private static uint Bits(float x) => BitConverter.SingleToUInt32Bits(x);

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static double Opaque(double x) => x;
}
