namespace LutNative.Results;

public enum PerformanceVerdict { Faster, Same, Slower, Undecided, Incomparable }

/// <param name="Ratio">B's images/s over A's: the median of all pairs of blocks (Hodges and Lehmann's estimate of a shift, on logarithms).</param>
/// <param name="Low">95 % interval, by resampling launches and then blocks inside of them.</param>
/// <param name="Why">For INCOMPARABLE what differs; else warnings that a reader must know.</param>
public sealed record PerformanceReport(PerformanceVerdict Verdict, double Ratio, double Low, double High, IReadOnlyList<string> Why);

/// <summary>
/// Two folders that `lut bench -o` wrote: is B faster? Launches are the unit that repeats (blocks of one process share its luck), so the interval is a bootstrap over launches.
/// FASTER and SLOWER need the interval to lie beyond the noise band, SAME needs it inside; everything else is UNDECIDED. Rows of other work are INCOMPARABLE.
/// </summary>
public static class Performance
{
    private const int Resamples = 2000;

    /// <param name="band">Ratio that counts as noise: 0.03 is three percent either way.</param>
    public static PerformanceReport Compare(Table a, Table b, double band)
    {
        var why = new List<string>();
        if (a.Rows.Count == 0 || b.Rows.Count == 0) return new PerformanceReport(PerformanceVerdict.Incomparable, 0, 0, 0, ["a folder has no throughput table"]);
        foreach (string key in new[] { "shape", "stage", "method", "batch" })
        {
            string x = Values(a, key), y = Values(b, key);
            if (x != y) why.Add($"{key}: {x}, {y}");
        }
        if (why.Count > 0) return new PerformanceReport(PerformanceVerdict.Incomparable, 0, 0, 0, why);
        // equal steps of equal work end in equal bits: a faster row with another digest did something else
        var done = a.Rows.ToLookup(r => (long)r[a.Schema.IndexOf("n_steps")]!, r => (string)r[a.Schema.IndexOf("state_digest")]!);
        foreach (var r in b.Rows)
            if (done[(long)r[b.Schema.IndexOf("n_steps")]!] is var known && known.Any() && !known.Contains((string)r[b.Schema.IndexOf("state_digest")]!))
            {
                why.Add(FormattableString.Invariant($"after {r[b.Schema.IndexOf("n_steps")]} steps the digests differ: {known.First()}, {r[b.Schema.IndexOf("state_digest")]}: it did other work{(Values(a, "contract") == Values(b, "contract") ? "" : ", in another level of math")}"));
                break;
            }
        double[][] left = Launches(a), right = Launches(b);
        if (Math.Min(left.Length, right.Length) < 3) why.Add(FormattableString.Invariant($"{left.Length} and {right.Length} launches: with fewer than three each, launches' own spread is not seen"));
        double ratio = HodgesLehmann(left, right);
        var random = new Random(1);   // seeded: a report repeats
        var ratios = new double[Resamples];
        for (int i = 0; i < Resamples; i++) ratios[i] = HodgesLehmann(Draw(left, random), Draw(right, random));
        Array.Sort(ratios);
        double low = ratios[Resamples / 40], high = ratios[Resamples - 1 - Resamples / 40];
        var verdict = low > 1 + band ? PerformanceVerdict.Faster : high < 1 - band ? PerformanceVerdict.Slower : low >= 1 - band && high <= 1 + band ? PerformanceVerdict.Same : PerformanceVerdict.Undecided;
        return new PerformanceReport(verdict, ratio, low, high, why);
    }

    private static string Values(Table t, string column) => string.Join(" and ", t.Rows.Select(r => Table.Show(r[t.Schema.IndexOf(column)])).Distinct());

    /// <summary>Logarithms of images/s, by launch of each benchmark in the folder.</summary>
    private static double[][] Launches(Table t) =>
        [.. t.Rows.GroupBy(r => ((string)r[t.Schema.IndexOf("run_id")]!, (int)r[t.Schema.IndexOf("launch")]!)).Select(g => g.Select(r => Math.Log((double)r[t.Schema.IndexOf("images_per_second")]!)).ToArray())];

    private static double[][] Draw(double[][] launches, Random random) =>
        [.. launches.Select(_ => launches[random.Next(launches.Length)]).Select(blocks => blocks.Select(_ => blocks[random.Next(blocks.Length)]).ToArray())];

    private static double HodgesLehmann(double[][] a, double[][] b)
    {
        double[] x = [.. a.SelectMany(l => l)], y = [.. b.SelectMany(l => l)];
        var shifts = new double[x.Length * y.Length];
        for (int i = 0; i < x.Length; i++)
            for (int j = 0; j < y.Length; j++) shifts[i * y.Length + j] = y[j] - x[i];
        Array.Sort(shifts);
        int n = shifts.Length;
        return Math.Exp(n % 2 == 1 ? shifts[n / 2] : 0.5 * (shifts[n / 2 - 1] + shifts[n / 2]));
    }
}
