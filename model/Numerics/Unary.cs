namespace LutNative.Model.Numerics;

/// <summary>
/// The contract's unary functions (NUMERICS rule 5): correctly rounded binary32 results, computed in binary64 with
/// fused multiply-add and one final rounding. This scalar form is the definition; UnarySimd must equal it for every
/// float.
/// Sources: exp is a degree-12 Taylor polynomial after a two-step Cody-Waite reduction; erf and log use the published
/// coefficients of fdlibm 5.3 (s_erf.c, e_log.c); tanh a degree-15 Taylor polynomial near zero and (1-t)/(1+t)
/// elsewhere. That the rounding is correct is tested on a dense sample, and over every float on demand
/// (tests/Model.Tests/Numerics/UnaryTests.cs).
/// </summary>
public static class Unary
{
    internal const double Log2E = 1.4426950408889634; // 0x1.71547652b82fep0
    internal const double Shifter = 6755399441055744.0; // 0x1.8p52: adding it rounds to an integer in the low bits
    internal const double Ln2Hi = 0.6931471805599453; // 0x1.62e42fefa39efp-1
    internal const double Ln2Lo = 2.3190468138462996e-17; // 0x1.abc9e3b39803fp-56
    internal const long ShifterBits = 0x4338000000000000;
    internal const long HalfRootBits = 0x3fe6a09e00000000; // sqrt(1/2), high word only, as in e_log.c
    internal const long OneMinusHalfRootBits = 0x3ff0000000000000 - HalfRootBits;
    internal const long MantissaBits = 0x000fffffffffffff;

    /// <summary>e^x for |x| up to 700, to about 0.6 binary64 ulp.</summary>
    internal static double ExpD(double x)
    {
        double t = F(x, Log2E, Shifter);
        double k = t - Shifter;
        double r = F(k, -Ln2Hi, x);
        r = F(k, -Ln2Lo, r);
        double p = 1.0 / 479001600;
        p = F(p, r, 1.0 / 39916800);
        p = F(p, r, 1.0 / 3628800);
        p = F(p, r, 1.0 / 362880);
        p = F(p, r, 1.0 / 40320);
        p = F(p, r, 1.0 / 5040);
        p = F(p, r, 1.0 / 720);
        p = F(p, r, 1.0 / 120);
        p = F(p, r, 1.0 / 24);
        p = F(p, r, 1.0 / 6);
        p = F(p, r, 0.5);
        p = F(p, r, 1.0);
        p = F(p, r, 1.0);
        return BitConverter.Int64BitsToDouble(
            BitConverter.DoubleToInt64Bits(p) + (BitConverter.DoubleToInt64Bits(t) << 52)
        );
    }

    /// <summary>
    /// Correctly rounded e^x; overflow gives +inf, underflow rounds once into the subnormals, NaN stays NaN.
    /// </summary>
    public static float Exp(float x)
    {
        if (float.IsNaN(x))
            return x;
        if (x > 89f)
            return float.PositiveInfinity;
        if (x < -104f)
            return 0f;
        return (float)ExpD(x);
    }

    /// <summary>Correctly rounded erf(x); |x| &gt; 4 gives +-1 (1 - erf(4) is below half an ulp of 1).</summary>
    public static float Erf(float x)
    {
        if (float.IsNaN(x))
            return x;
        double d = x;
        double a = Math.Abs(d);
        if (a < 0.84375)
        {
            double z = d * d;
            return (float)F(d, ErfSmallP(z) / ErfSmallQ(z), d);
        }
        double r;
        if (a < 1.25)
            r = ErfTable.Erx + ErfMidP(a - 1.0) / ErfMidQ(a - 1.0);
        else if (a > 4.0)
            r = 1.0;
        else
        {
            double s = 1.0 / (a * a);
            double ratio = a < 1 / 0.35 ? ErfLowR(s) / ErfLowS(s) : ErfHighR(s) / ErfHighS(s);
            // a is a float, so a*a is exact in binary64 and one exponential suffices
            r = 1.0 - ExpD(-a * a - 0.5625 + ratio) / a;
        }
        return (float)Math.CopySign(r, d);
    }

    /// <summary>Correctly rounded tanh(x).</summary>
    public static float Tanh(float x)
    {
        if (float.IsNaN(x))
            return x;
        double z = x;
        double a = Math.Abs(z);
        if (a < 0.125)
        {
            double q = z * z;
            return (float)F(TanhP(q) * q, z, z);
        }
        if (a > 9.5)
            return x > 0 ? 1f : -1f;
        double t = ExpD(-2.0 * a);
        return (float)Math.CopySign((1.0 - t) / (1.0 + t), z);
    }

    /// <summary>Correctly rounded ln(x); 0 gives -inf, negative gives NaN.</summary>
    public static float Log(float x)
    {
        if (float.IsNaN(x) || x < 0f)
            return float.NaN;
        if (x == 0f)
            return float.NegativeInfinity;
        if (float.IsPositiveInfinity(x))
            return x;
        long moved = BitConverter.DoubleToInt64Bits(x) + OneMinusHalfRootBits;
        double k = (moved >> 52) - 1023;
        double f = BitConverter.Int64BitsToDouble((moved & MantissaBits) + HalfRootBits) - 1.0;
        double s = f / (2.0 + f);
        double half = 0.5 * f * f;
        double lo = f - (half - F(s, half + LogR(s * s), k * LogLn2Lo));
        if (k == 0)
            return (float)lo;
        double hi = k * LogLn2Hi;
        double r = hi + lo;
        double bb = r - hi;
        double e = (hi - (r - bb)) + (lo - bb);
        if (e != 0 && (BitConverter.DoubleToInt64Bits(r) & 1) == 0)
            r =
                (e > 0) == (r > 0)
                    ? Math.CopySign(BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(Math.Abs(r)) + 1), r)
                    : Math.CopySign(BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(Math.Abs(r)) - 1), r);
        return (float)r;
    }

    /// <summary>Correctly rounded 1/sqrt(x).</summary>
    public static float Rsqrt(float x) => (float)(1.0 / Math.Sqrt((double)x));

    private static double F(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);

    internal const double LogLn2Hi = 6.93147180369123816490e-01;
    internal const double LogLn2Lo = 1.90821492927058770002e-10;

    private static double LogR(double z)
    {
        double r = 1.479819860511658591e-01;
        r = F(r, z, 1.531383769920937332e-01);
        r = F(r, z, 1.818357216161805012e-01);
        r = F(r, z, 2.222219843214978396e-01);
        r = F(r, z, 2.857142874366239149e-01);
        r = F(r, z, 3.999999999940941908e-01);
        r = F(r, z, 6.666666666666735130e-01);
        return r * z;
    }

    private static double TanhP(double q)
    {
        double p = -929569.0 / 638512875;
        p = F(p, q, 21844.0 / 6081075);
        p = F(p, q, -1382.0 / 155925);
        p = F(p, q, 62.0 / 2835);
        p = F(p, q, -17.0 / 315);
        p = F(p, q, 2.0 / 15);
        return F(p, q, -1.0 / 3);
    }

    private static double Horner(double z, ReadOnlySpan<double> c)
    {
        double p = c[^1];
        for (int i = c.Length - 2; i >= 0; i--)
            p = F(p, z, c[i]);
        return p;
    }

    private static double ErfSmallP(double z) => Horner(z, ErfTable.SmallP);

    private static double ErfSmallQ(double z) => Horner(z, ErfTable.SmallQ);

    private static double ErfMidP(double s) => Horner(s, ErfTable.MidP);

    private static double ErfMidQ(double s) => Horner(s, ErfTable.MidQ);

    private static double ErfLowR(double s) => Horner(s, ErfTable.LowR);

    private static double ErfLowS(double s) => Horner(s, ErfTable.LowS);

    private static double ErfHighR(double s) => Horner(s, ErfTable.HighR);

    private static double ErfHighS(double s) => Horner(s, ErfTable.HighS);
}

/// <summary>The published coefficients of fdlibm's s_erf.c, lowest degree first.</summary>
internal static class ErfTable
{
    public const double Erx = 8.45062911510467529297e-01;

    public static ReadOnlySpan<double> SmallP =>
        [
            1.28379167095512558561e-01,
            -3.25042107247001499370e-01,
            -2.84817495755985104766e-02,
            -5.77027029648944159157e-03,
            -2.37630166566501626084e-05,
        ];

    public static ReadOnlySpan<double> SmallQ =>
        [
            1.0,
            3.97917223959155352819e-01,
            6.50222499887672944485e-02,
            5.08130628187576562776e-03,
            1.32494738004321644526e-04,
            -3.96022827877536812320e-06,
        ];

    public static ReadOnlySpan<double> MidP =>
        [
            -2.36211856075265944077e-03,
            4.14856118683748331666e-01,
            -3.72207876035701323847e-01,
            3.18346619901161753674e-01,
            -1.10894694282396677476e-01,
            3.54783043256182359371e-02,
            -2.16637559486879084300e-03,
        ];

    public static ReadOnlySpan<double> MidQ =>
        [
            1.0,
            1.06420880400844228286e-01,
            5.40397917702171048937e-01,
            7.18286544141962662868e-02,
            1.26171219808761642112e-01,
            1.36370839120290507362e-02,
            1.19844998467991074170e-02,
        ];

    public static ReadOnlySpan<double> LowR =>
        [
            -9.86494403484714822705e-03,
            -6.93858572707181764372e-01,
            -1.05586262253232909814e+01,
            -6.23753324503260060396e+01,
            -1.62396669462573470355e+02,
            -1.84605092906711035994e+02,
            -8.12874355063065934246e+01,
            -9.81432934416914548592e+00,
        ];

    public static ReadOnlySpan<double> LowS =>
        [
            1.0,
            1.96512716674392571292e+01,
            1.37657754143519042600e+02,
            4.34565877475229228821e+02,
            6.45387271733267880336e+02,
            4.29008140027567833386e+02,
            1.08635005541779435134e+02,
            6.57024977031928170135e+00,
            -6.04244152148580987438e-02,
        ];

    public static ReadOnlySpan<double> HighR =>
        [
            -9.86494292470009928597e-03,
            -7.99283237680523006574e-01,
            -1.77579549177547519889e+01,
            -1.60636384855821916062e+02,
            -6.37566443368389627722e+02,
            -1.02509513161107724954e+03,
            -4.83519191608651397019e+02,
        ];

    public static ReadOnlySpan<double> HighS =>
        [
            1.0,
            3.03380607434824582924e+01,
            3.25792512996573918826e+02,
            1.53672958608443695994e+03,
            3.19985821950859553908e+03,
            2.55305040643316442583e+03,
            4.74528541206955367215e+02,
            -2.24409524465858183362e+01,
        ];
}
