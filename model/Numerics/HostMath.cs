namespace LutNative.Model.Numerics;

/// <summary>
/// Double-precision functions for what the host computes once a step or once a run: schedules, position embeddings,
/// normal draws. Written with + - * / and fused multiply-add only, so that they give the same bits on every machine;
/// accurate to a few ulp.
/// </summary>
public static class HostMath
{
    // pi/2 in three parts of 33, 33 and 53 bits (fdlibm e_rem_pio2.c), exact products with small integers
    private const double PiO2A = 1.57079632673412561417e+00;
    private const double PiO2B = 6.07710050630396597660e-11;
    private const double PiO2C = 2.02226624879595063154e-21;

    /// <summary>e^x, |x| up to 700.</summary>
    public static double Exp(double x) => Unary.ExpD(x);

    /// <summary>Natural logarithm of a positive normal number.</summary>
    public static double Log(double x)
    {
        long moved = BitConverter.DoubleToInt64Bits(x) + Unary.OneMinusHalfRootBits;
        double k = (moved >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((moved & Unary.MantissaBits) + Unary.HalfRootBits);
        double s = (m - 1.0) / (m + 1.0);
        double z = s * s;
        double p = 0.0;
        for (int n = 25; n >= 3; n -= 2)
            p = (p + 1.0 / n) * z; // atanh series: |s| < 0.1716, so 25 terms reach 2^-60
        return k * Unary.LogLn2Hi + (2.0 * s + (2.0 * s * p + k * Unary.LogLn2Lo));
    }

    /// <summary>Sine; |x| below 2^20.</summary>
    public static double Sin(double x) => Quadrant(x, 0);

    /// <summary>Cosine; |x| below 2^20.</summary>
    public static double Cos(double x) => Quadrant(x, 1);

    private static double Quadrant(double x, int shift)
    {
        double t = Math.FusedMultiplyAdd(x, 2 / Math.PI, Unary.Shifter);
        double k = t - Unary.Shifter;
        double r = Math.FusedMultiplyAdd(k, -PiO2A, x);
        r = Math.FusedMultiplyAdd(k, -PiO2B, r);
        r = Math.FusedMultiplyAdd(k, -PiO2C, r);
        int q = ((int)(long)k + shift) & 3;
        double z = r * r;
        double s = 0.0;
        double c = 0.0;
        for (int n = 21; n >= 3; n -= 2)
            s = -(1.0 + s) * z / (n * (n - 1.0));
        for (int n = 20; n >= 2; n -= 2)
            c = -(1.0 + c) * z / (n * (n - 1.0));
        double value = (q & 1) == 0 ? r + r * s : 1.0 + c;
        return q >= 2 ? -value : value;
    }
}
