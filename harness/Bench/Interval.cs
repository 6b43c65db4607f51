using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Bench;

/// <summary>
/// A median with its 95 % interval, by the percentile bootstrap over blocks (2,000 resamples from the contract's
/// generator, so it repeats).
/// </summary>
internal readonly record struct Interval(double Median, double Low, double High)
{
    internal static Interval Of(IReadOnlyList<double> x)
    {
        const int Resamples = 2000;
        var random = new Philox(0, Purpose.Test, (ulong)x.Count, 0, 0);
        var medians = new double[Resamples];
        var draw = new double[x.Count];
        for (int r = 0; r < Resamples; r++)
        {
            for (int i = 0; i < draw.Length; i++)
                draw[i] = x[(int)random.NextBelow((uint)x.Count)];
            medians[r] = Performance.Median(draw);
        }
        Array.Sort(medians);
        return new Interval(Performance.Median(x), medians[Resamples / 40], medians[Resamples - 1 - Resamples / 40]);
    }
}
