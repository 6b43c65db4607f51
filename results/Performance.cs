namespace LutNative.Results;

/// <summary>
/// Folders that `lut bench -o` wrote: is B faster? Where both sides are one benchmark (`bench --against`: one run_id),
/// blocks are pairs that were measured in turns, and the machine's drift cancels. Launches are the unit that repeats
/// (blocks of one process share its luck), so the interval is a bootstrap over launches. FASTER and SLOWER need the
/// shift to be beyond the noise band (Holm's correction keeps one table from crying wolf once in twenty rows), SAME
/// needs the whole interval inside; UNSTABLE when launches of one side are too far apart, UNFIT when the machine was
/// busy or its clocks were held down, INCOMPARABLE when the work is not the same. Everything else is UNDECIDED.
/// </summary>
public static class Performance
{
    /// <summary>Of the statistics: goes up when a verdict could change for the same numbers.</summary>
    public const int MethodVersion = 2;

    /// <summary>
    /// Cores that others may keep busy, and the spread of launches (robust standard deviation) that a verdict bears.
    /// </summary>
    public const double MostOtherLoad = 0.25;
    public const double MostSpread = 0.10;
    private const int Resamples = 2000;

    /// <summary>What makes two rows the same benchmark.</summary>
    public static string KeyOf(ThroughputRow row) =>
        string.Join(' ', new[] { row.Shape, row.Stage, row.Method, Table.Show(row.Batch) }.Where(s => s.Length > 0));

    public static IReadOnlyList<PerformanceRow> Compare(
        IReadOnlyList<ThroughputRow> a,
        IReadOnlyList<ThroughputRow> b,
        Func<string, double> bandOf
    )
    {
        var left = a.GroupBy(KeyOf).ToDictionary(g => g.Key, g => g.ToList());
        var right = b.GroupBy(KeyOf).ToDictionary(g => g.Key, g => g.ToList());
        var rows = new List<(PerformanceRow Row, double RawP)>();
        foreach (string key in left.Keys.Union(right.Keys))
            rows.Add(
                left.TryGetValue(key, out var x) && right.TryGetValue(key, out var y)
                    ? Row(key, x, y, bandOf(key))
                    : (
                        new PerformanceRow(
                            key,
                            PerformanceVerdict.Incomparable,
                            0,
                            0,
                            0,
                            0,
                            0,
                            1,
                            bandOf(key),
                            [left.ContainsKey(key) ? "only in A" : "only in B"]
                        ),
                        1
                    )
            );
        // Holm: the k-th smallest of m chances counts m - k + 1 times, and none less than the one before it
        double before = 0;
        int m = rows.Count(r => r.Row.Verdict == PerformanceVerdict.Undecided);
        int k = 0;
        foreach (
            int i in Enumerable
                .Range(0, rows.Count)
                .Where(i => rows[i].Row.Verdict == PerformanceVerdict.Undecided)
                .OrderBy(i => rows[i].RawP)
                .ToArray()
        )
        {
            var r = rows[i].Row with { P = before = Math.Min(1, Math.Max(before, (m - k++) * rows[i].RawP)) };
            var verdict = r switch
            {
                { P: <= 0.05, Ratio: > 1 } => PerformanceVerdict.Faster,
                { P: <= 0.05 } => PerformanceVerdict.Slower,
                _ when r.Low >= 1 - r.Band && r.High <= 1 + r.Band => PerformanceVerdict.Same,
                _ => PerformanceVerdict.Undecided,
            };
            rows[i] = (r with { Verdict = verdict }, rows[i].RawP);
        }
        return [.. rows.Select(r => r.Row)];
    }

    /// <summary>
    /// What A/A launches say of a machine's noise: three robust standard deviations of the difference of two such sets
    /// of launches, at least half a percent.
    /// </summary>
    public static double BandOf(IEnumerable<ThroughputRow> aa)
    {
        double[][] launches = Launches(aa);
        return Math.Max(LeastBand, 3 * Spread(launches) * Math.Sqrt(2.0 / Math.Max(1, launches.Length)));
    }

    /// <summary>The same of pairs of one build that were measured in turns.</summary>
    public static double BandOf(IEnumerable<ThroughputRow> a, IEnumerable<ThroughputRow> b)
    {
        double[][] pairs = Pairs(Launches(a), Launches(b));
        return Math.Max(LeastBand, 3 * Spread(pairs) / Math.Sqrt(pairs.Length));
    }

    private const double LeastBand = 0.005;

    /// <summary>Undecided until Holm's correction has been applied.</summary>
    private static (PerformanceRow, double) Row(string key, List<ThroughputRow> a, List<ThroughputRow> b, double band)
    {
        var why = new List<string>();
        double[][] left = Launches(a);
        double[][] right = Launches(b);
        string other = OtherWork(a, b);
        if (other.Length > 0)
            why.Add(other);
        if (Math.Min(left.Length, right.Length) < 3)
            why.Add(
                $"{left.Length} and {right.Length} launches: with fewer than three each, "
                    + "launches' own spread is not seen"
            );
        string[] unfit = [.. Unfit(a, "A"), .. Unfit(b, "B")];
        bool paired =
            a.Concat(b).Select(r => r.RunId).Distinct().Count() == 1
            && left.Length == right.Length
            && left.Zip(right).All(p => p.First.Length == p.Second.Length);
        double[][] pairs = paired ? Pairs(left, right) : [];
        double spread = paired ? Spread(pairs) : Math.Max(Spread(left), Spread(right));
        double ratio = paired ? Walsh(pairs) : HodgesLehmann(left, right);
        var random = new Random(1); // seeded: a report repeats
        var ratios = new double[Resamples];
        for (int i = 0; i < Resamples; i++)
            ratios[i] = paired ? Walsh(Draw(pairs, random)) : HodgesLehmann(Draw(left, random), Draw(right, random));
        Array.Sort(ratios);
        double slower = (double)ratios.Count(r => r >= 1 - band) / Resamples;
        double faster = (double)ratios.Count(r => r <= 1 + band) / Resamples;
        double p = Math.Clamp(2 * Math.Min(slower, faster), 2.0 / Resamples, 1);
        var verdict = PerformanceVerdict.Undecided;
        if (unfit.Length > 0)
            (verdict, why) = (PerformanceVerdict.Unfit, [.. unfit, .. why]);
        else if (spread > MostSpread)
        {
            verdict = PerformanceVerdict.Unstable;
            why.Insert(
                0,
                FormattableString.Invariant(
                    $"launches are {100 * spread:f1} % apart (more than {100 * MostSpread:f0} %)"
                )
            );
        }
        return (
            new PerformanceRow(
                key,
                verdict,
                Rate(left),
                Rate(right),
                ratio,
                ratios[Resamples / 40],
                ratios[Resamples - 1 - Resamples / 40],
                p,
                band,
                why
            ),
            p
        );
    }

    /// <summary>
    /// Equal steps of equal work end in equal bits: a faster row with another digest did something else.
    /// </summary>
    private static string OtherWork(List<ThroughputRow> a, List<ThroughputRow> b)
    {
        if (a[0].CheckDigest is { } first && b.FirstOrDefault(r => r.CheckDigest is { } c && c != first) is { } odd)
            return $"after the first steps the digests differ: {first}, {odd.CheckDigest}: it did other work"
                + InOtherMath(a[0], odd);
        var done = a.ToLookup(r => r.NSteps, r => r.StateDigest);
        foreach (var r in b)
        {
            var known = done[r.NSteps];
            if (known.Any() && !known.Contains(r.StateDigest))
                return $"after {r.NSteps} steps the digests differ: {known.First()}, {r.StateDigest}: "
                    + "it did other work"
                    + InOtherMath(a[0], r);
        }
        return "";
    }

    private static string InOtherMath(ThroughputRow a, ThroughputRow b) =>
        a.Contract == b.Contract ? "" : ", in another level of math";

    /// <summary>
    /// Why launches' times mean little: who else computed, or what held the clocks down; empty when the machine was
    /// fit.
    /// </summary>
    public static IEnumerable<string> Unfit(IReadOnlyList<ThroughputRow> rows) => Unfit(rows, "the night");

    private static IEnumerable<string> Unfit(IReadOnlyList<ThroughputRow> rows, string side)
    {
        double[] load = [.. rows.Select(r => r.OtherLoad).OfType<double>()];
        if (load.Length > 0 && Median(load) > MostOtherLoad)
            yield return FormattableString.Invariant(
                $"{side}: other processes kept {Median(load):f2} cores busy (more than {MostOtherLoad})"
            );
        string[] slow = [.. rows.Select(r => r.Slowdown).OfType<string>().Where(t => t.Length > 0).Distinct()];
        if (slow.Length > 0)
            yield return $"{side}: clocks were held down by {string.Join(", ", slow)}";
    }

    /// <summary>Logarithms of images/s, by launch of each benchmark in the folder.</summary>
    private static double[][] Launches(IEnumerable<ThroughputRow> rows) =>
        [.. rows.GroupBy(r => (r.RunId, r.Launch)).Select(g => g.Select(r => Math.Log(r.ImagesPerSecond)).ToArray())];

    /// <summary>Median of the blocks of all launches, images/s.</summary>
    private static double Rate(double[][] launches) => Math.Exp(Median([.. launches.SelectMany(l => l)]));

    /// <summary>
    /// Robust standard deviation of the launches' medians: 1.4826 times their median distance from the median.
    /// </summary>
    private static double Spread(double[][] launches)
    {
        double[] medians = [.. launches.Select(Median)];
        double middle = Median(medians);
        return 1.4826 * Median([.. medians.Select(m => Math.Abs(m - middle))]);
    }

    private static double[][] Draw(double[][] launches, Random random) =>
        [
            .. launches
                .Select(_ => launches[random.Next(launches.Length)])
                .Select(blocks => blocks.Select(_ => blocks[random.Next(blocks.Length)]).ToArray()),
        ];

    /// <summary>Differences of the logarithms of blocks measured in turns, by launch.</summary>
    private static double[][] Pairs(double[][] a, double[][] b) =>
        [.. a.Zip(b, (x, y) => x.Zip(y, (p, q) => q - p).ToArray())];

    /// <summary>Of launches' medians: the median of the averages of all two of them (each with itself too).</summary>
    private static double Walsh(double[][] pairs)
    {
        double[] d = [.. pairs.Select(Median)];
        return Math.Exp(
            Median([
                .. from i in Enumerable.Range(0, d.Length)
                from j in Enumerable.Range(0, i + 1)
                select 0.5 * (d[i] + d[j]),
            ])
        );
    }

    private static double HodgesLehmann(double[][] a, double[][] b)
    {
        double[] x = [.. a.SelectMany(l => l)];
        double[] y = [.. b.SelectMany(l => l)];
        var shifts = new double[x.Length * y.Length];
        for (int i = 0; i < x.Length; i++)
        for (int j = 0; j < y.Length; j++)
            shifts[i * y.Length + j] = y[j] - x[i];
        return Math.Exp(Median(shifts));
    }

    public static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        int n = sorted.Length;
        return n % 2 == 1 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
    }
}
