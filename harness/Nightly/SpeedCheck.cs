using System.Globalization;
using LutNative.Harness.Bench;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Nightly;

/// <summary>What a night says of one benchmark.</summary>
/// <param name="Numbers">Of the comparison, where there was one.</param>
/// <param name="Images">Images per second, where there is nothing to compare them with.</param>
internal sealed record Speed(string Verdict, string Reason, PerformanceRow? Numbers = null, double? Images = null)
{
    /// <summary>The baseline that tonight's speed may extend, and the speed; null where it must not.</summary>
    internal (Baseline Against, double Images)? Clean { get; init; }
}

/// <summary>
/// Measures a benchmark of the suite and holds it against its baseline; a loss counts only after a second measurement
/// in fresh processes agrees.
/// </summary>
/// <param name="folder">The night's.</param>
/// <param name="device">With exact math; a row of another level has its own.</param>
internal sealed class SpeedCheck(
    NightOrder order,
    string folder,
    Device device,
    Baselines baselines,
    Action<string> say
)
{
    /// <summary>
    /// What pairs in turns do not cancel: the largest of the twenty A/A pairs in docs/COMPARING.md was 1.6 %.
    /// </summary>
    private const double BandInTurns = 0.02;

    /// <summary>Nights after which a row is held against them too.</summary>
    private const int NightsToCompare = 3;

    internal Speed Of(PerfRow row)
    {
        var bench = row.Order with { Device = order.Device, Slow = order.Slow };
        var rows = Measure(row, bench);
        if (!baselines.Rows.TryGetValue(row.Name, out var baseline))
            return WithoutBaseline(rows);
        string digest = rows[0].CheckDigest!;
        if (digest != baseline.Digest)
            return new Speed(
                "OTHER-WORK",
                $"digest {digest} after three steps, the baseline's is {baseline.Digest}: its speed says nothing"
            );
        var first = Against(baseline, rows, row.Name);
        if (first.Verdict == PerformanceVerdict.Slower)
            return Confirmed(row, bench, baseline, first);
        bool clean =
            first.Verdict is PerformanceVerdict.Same or PerformanceVerdict.Undecided or PerformanceVerdict.Faster;
        return new Speed(Word(first.Verdict), string.Join("; ", first.Why), first)
        {
            Clean = clean ? (baseline, Images(rows)) : null,
        };
    }

    private Speed WithoutBaseline(IReadOnlyList<ThroughputRow> rows)
    {
        string[] unfit = [.. Performance.Unfit(rows)];
        if (unfit.Length > 0)
            return new Speed("UNFIT", $"no baseline yet, and {string.Join("; ", unfit)}", Images: Images(rows));
        return new Speed(
            "NO-BASELINE",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Images(rows):g5} images/s; `lut baseline accept {RecordedSettings.Place(folder)} "
                    + $"--reason WHY` makes it one"
            ),
            Images: Images(rows)
        );
    }

    /// <summary>A loss again, in fresh processes: against the pinned build in turns where there is one.</summary>
    private Speed Confirmed(PerfRow row, BenchOrder bench, Baseline baseline, PerformanceRow first)
    {
        string lost = $"{(100 * (1 - first.Ratio)).Text("f1")} % slower";
        say($"perf {row.Name}: {lost}; measuring again in fresh processes");
        var second = order.PinnedBuild is { } pinned
            ? InTurns(row, bench, pinned)
            : Against(baseline, Measure(row, bench), row.Name);
        string how = order.PinnedBuild is null
            ? "a second measurement"
            : "a measurement in turns with the pinned build";
        return second.Verdict switch
        {
            PerformanceVerdict.Slower => new Speed(
                "SLOWER",
                $"{lost}, and {(100 * (1 - second.Ratio)).Text("f1")} % in {how}",
                first
            ),
            PerformanceVerdict.Unfit => new Speed(
                "UNFIT",
                $"{lost} at first; {how} found the machine unfit: {string.Join("; ", second.Why)}",
                second
            ),
            _ => new Speed(
                "CLEARED",
                $"{lost} at first; {how} says {Word(second.Verdict)} ({second.Ratio.Text("f3")})",
                second
            ),
        };
    }

    private static string Word(PerformanceVerdict verdict) => verdict.ToString().ToUpperInvariant();

    /// <summary>Fresh launches, kept in the row's own folder of the night.</summary>
    private IReadOnlyList<ThroughputRow> Measure(PerfRow row, BenchOrder bench)
    {
        var rows = Launches.Rows(
            BenchShape.Of(bench),
            bench.Stage,
            DeviceOf(bench),
            Environment.ProcessorCount,
            [.. Enumerable.Range(0, row.Launches).Select(_ => Launches.Fresh(bench))]
        );
        Launches.Write(Night.ThroughputOf(folder, row.Name), rows);
        return rows;
    }

    /// <summary>What the launches of a row run on: its level of math is part of the work.</summary>
    private Device DeviceOf(BenchOrder bench) =>
        bench.Math == "exact" ? device : DeviceCatalog.Of(bench.Device, bench.Math);

    private PerformanceRow InTurns(PerfRow row, BenchOrder bench, string pinned)
    {
        var pairs = Enumerable
            .Range(0, row.Launches)
            .Select(_ => Launches.Pair(bench, pinned, bench with { Slow = 0 }))
            .ToList();
        string id = Guid.CreateVersion7().ToString();
        var shape = BenchShape.Of(bench);
        var on = DeviceOf(bench);
        var mine = Launches.Rows(
            shape,
            bench.Stage,
            on,
            Environment.ProcessorCount,
            [.. pairs.Select(p => p.Mine)],
            id
        );
        var theirs = Launches.Rows(
            shape,
            bench.Stage,
            on,
            Environment.ProcessorCount,
            [.. pairs.Select(p => p.Theirs)],
            id
        );
        return Performance.Compare(theirs, mine, _ => BandInTurns)[0];
    }

    /// <summary>Against the accepted launches and against the last nights: the worse of the two.</summary>
    private static PerformanceRow Against(Baseline baseline, IReadOnlyList<ThroughputRow> rows, string name)
    {
        var pinned = One(baseline.Pinned);
        if (pinned.Verdict == PerformanceVerdict.Slower || baseline.Rolling.Count < NightsToCompare)
            return pinned;
        var rolling = One(baseline.Rolling);
        return rolling.Verdict == PerformanceVerdict.Slower
            ? rolling with
            {
                Why = [.. rolling.Why, "against the last nights"],
            }
            : pinned;

        PerformanceRow One(IReadOnlyList<double> medians)
        {
            ThroughputRow[] old =
            [
                .. medians.Select(
                    (median, i) =>
                        rows[0] with
                        {
                            RunId = new RunId("baseline"),
                            Launch = i,
                            ImagesPerSecond = median,
                            OtherLoad = null,
                            Slowdown = null,
                        }
                ),
            ];
            return Performance.Compare(old, rows, _ => baseline.BandNow)[0] with { Key = name };
        }
    }

    private static double Images(IReadOnlyList<ThroughputRow> rows) =>
        Performance.Median([.. rows.Select(r => r.ImagesPerSecond)]);
}
