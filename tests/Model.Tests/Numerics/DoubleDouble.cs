namespace LutNative.Model.Tests.Numerics;

/// <summary>
/// Unevaluated sums of two doubles (about 106 bits) and, with them, reference values of the unary functions that are
/// independent of the product: other series, other reductions. Errors stay below 2^-88, so a binary32 rounding can be
/// decided unless the value lies that close to a midpoint, which the tests report instead of guessing. Algorithms:
/// Dekker 1971, Knuth; Taylor and Gauss series.
/// </summary>
internal readonly record struct DD(double Hi, double Lo)
{
    public static implicit operator DD(double x) => new(x, 0);

    public static DD operator +(DD a, DD b)
    {
        double s = a.Hi + b.Hi;
        double v = s - a.Hi;
        double e = a.Hi - (s - v) + (b.Hi - v);
        double t = a.Lo + b.Lo;
        double w = t - a.Lo;
        double f = a.Lo - (t - w) + (b.Lo - w);
        e += t;
        (s, e) = Fast(s, e);
        (s, e) = Fast(s, e + f);
        return new DD(s, e);
    }

    public static DD operator -(DD a) => new(-a.Hi, -a.Lo);

    public static DD operator -(DD a, DD b) => a + -b;

    public static DD operator *(DD a, DD b)
    {
        double p = a.Hi * b.Hi;
        double e = Math.FusedMultiplyAdd(a.Hi, b.Hi, -p) + (a.Hi * b.Lo + a.Lo * b.Hi);
        (p, e) = Fast(p, e);
        return new DD(p, e);
    }

    public static DD operator /(DD a, DD b)
    {
        double q = a.Hi / b.Hi;
        DD r = a - b * q;
        double q2 = r.Hi / b.Hi;
        r -= b * q2;
        (q, q2) = Fast(q, q2);
        return new DD(q, q2) + r.Hi / b.Hi;
    }

    private static (double, double) Fast(double a, double b)
    {
        double s = a + b;
        return (s, b - (s - a));
    }

    private static readonly DD Ln2 = new(0.6931471805599453, 2.3190468138462996e-17);
    private static readonly DD TwoOverRootPi = new(1.1283791670955126, 1.533545961316582e-17);

    private static readonly DD[] InverseFactorial = Table(17, (n, last) => n == 0 ? 1.0 : last / n);
    private static readonly DD[] TwoOverOdd = Table(200, (n, _) => (DD)2.0 / (2 * n + 1));

    private static DD[] Table(int count, Func<int, DD, DD> next)
    {
        var t = new DD[count];
        for (int n = 0; n < count; n++)
            t[n] = next(n, n == 0 ? default : t[n - 1]);
        return t;
    }

    public static DD Exp(DD x)
    {
        double k = Math.Round(x.Hi / Ln2.Hi);
        DD r = x - Ln2 * k;
        r = new DD(r.Hi / 16, r.Lo / 16);
        DD sum = InverseFactorial[15]; // |r| < 0.022: the next term is below 2^-120
        for (int n = 14; n >= 0; n--)
            sum = sum * r + InverseFactorial[n];
        for (int i = 0; i < 4; i++)
            sum *= sum;
        return new DD(Math.ScaleB(sum.Hi, (int)k), Math.ScaleB(sum.Lo, (int)k));
    }

    /// <summary>erf(x) = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1)/(2n+1)!!, all terms of one sign.</summary>
    public static DD Erf(double x)
    {
        DD square = (DD)x * x;
        DD term = x;
        DD sum = x;
        for (int n = 1; n < 200 && Math.Abs(term.Hi) > Math.Abs(sum.Hi) * 1e-33; n++)
        {
            term = term * square * TwoOverOdd[n];
            sum += term;
        }
        return TwoOverRootPi * Exp(-square) * sum;
    }

    /// <summary>
    /// Newton's step on exp from a double start, y + (x - e^y)/e^y: the start's error of 2^-52 is squared.
    /// </summary>
    public static DD Log(double x)
    {
        int k = Math.ILogB(x);
        double m = Math.ScaleB(x, -k);
        DD y = Math.Log(m);
        DD e = Exp(y);
        return y + ((DD)m - e) / e + Ln2 * k;
    }

    public static DD Tanh(double x)
    {
        if (Math.Abs(x) < 0.3)
        {
            // sinh/cosh by their series: no cancellation near zero
            DD square = (DD)x * x;
            DD s = x;
            DD c = 1.0;
            DD ts = x;
            DD tc = 1.0;
            for (int n = 1; n <= 14; n++)
            {
                tc = tc * square / ((2.0 * n - 1) * (2.0 * n));
                ts = ts * square / ((2.0 * n) * (2.0 * n + 1));
                c += tc;
                s += ts;
            }
            return s / c;
        }
        DD t = Exp(-2.0 * Math.Abs(x));
        DD y = (1.0 - t) / (1.0 + t);
        return x < 0 ? -y : y;
    }

    public static DD Rsqrt(double x)
    {
        double y = 1 / Math.Sqrt(x);
        DD r = y;
        return r + r * (1.0 - r * r * x) * 0.5;
    }

    /// <summary>
    /// The binary32 value nearest to this, or null when it lies within 2^-80 (relative) of a midpoint.
    /// </summary>
    public float? Round()
    {
        float f = (float)Hi;
        if (float.IsInfinity(f) || Hi == 0)
            return f;
        // f may be one off when Hi itself is near a midpoint: choose by the exact sum
        float best = f;
        foreach (float g in new[] { MathF.BitDecrement(f), MathF.BitIncrement(f) })
        {
            if (float.IsInfinity(g))
                continue;
            DD middle = ((DD)f + g) * 0.5;
            DD d = this - middle;
            if (Math.Abs(d.Hi) < Math.Abs(Hi) * 8.3e-25)
                return null;
            if (d.Hi > 0 == g > f)
                best = g;
        }
        return best;
    }
}
