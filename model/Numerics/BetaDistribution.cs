namespace LutNative.Model.Numerics;

/// <summary>Draws of Beta(a, a), by two gamma draws each (Marsaglia and Tsang 2000).</summary>
public static class BetaDistribution
{
    /// <summary>A number in [0, 1]; a &gt; 0. How many numbers it takes from the stream depends on them.</summary>
    public static double Draw(ref Philox random, double a)
    {
        double x = Gamma(ref random, a);
        double y = Gamma(ref random, a);
        return x + y > 0 ? x / (x + y) : 0.5;
    }

    private static double Gamma(ref Philox random, double a)
    {
        if (a < 1.0)
            return Gamma(ref random, a + 1.0) * HostMath.Exp(HostMath.Log(1.0 - random.NextDouble()) / a);
        double d = a - 1.0 / 3.0;
        double c = 1.0 / Math.Sqrt(9.0 * d);
        while (true)
        {
            double x = random.NextNormal();
            double v = 1.0 + c * x;
            if (v <= 0.0)
                continue;
            v = v * v * v;
            if (HostMath.Log(1.0 - random.NextDouble()) < 0.5 * x * x + d - d * v + d * HostMath.Log(v))
                return d * v;
        }
    }
}
