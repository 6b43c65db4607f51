using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>What `compare --perf` and `bench --against` print.</summary>
internal static class PerformanceReport
{
    internal const double DefaultBand = 0.03;

    /// <summary>
    /// One verdict for several rows: a confirmed loss first, then what keeps a reader from knowing, then the good news.
    /// </summary>
    internal static PerformanceVerdict Overall(IReadOnlyList<PerformanceRow> rows) =>
        rows.Count == 0
            ? PerformanceVerdict.Incomparable
            : new[]
            {
                PerformanceVerdict.Slower,
                PerformanceVerdict.Unfit,
                PerformanceVerdict.Incomparable,
                PerformanceVerdict.Unstable,
                PerformanceVerdict.Undecided,
                PerformanceVerdict.Faster,
                PerformanceVerdict.Same,
            }.First(v => rows.Any(r => r.Verdict == v));

    internal static Exit ExitOf(PerformanceVerdict v) =>
        v switch
        {
            PerformanceVerdict.Slower => Exit.Negative,
            PerformanceVerdict.Unfit => Exit.Unfit,
            PerformanceVerdict.Undecided or PerformanceVerdict.Unstable or PerformanceVerdict.Incomparable =>
                Exit.Inconclusive,
            _ => Exit.Ok,
        };

    internal static Exit Print(IReadOnlyList<PerformanceRow> rows, bool json)
    {
        var overall = Overall(rows);
        var exit = ExitOf(overall);
        var worst = rows.FirstOrDefault(r => r.Verdict == overall);
        string word = overall.ToString().ToUpperInvariant();
        string verdict = FormattableString.Invariant(
            $"VERDICT perf={word} rows={rows.Count}{(worst is null || overall == PerformanceVerdict.Incomparable ? "" : FormattableString.Invariant($" ratio={worst.Ratio:f4} low={worst.Low:f4} high={worst.High:f4} p={worst.P:f4} band={worst.Band:0.####}"))} exit={(int)exit}"
        );
        if (json)
        {
            Output.Json(
                new
                {
                    verdict = word,
                    rows = rows.Select(r => new
                    {
                        key = r.Key,
                        verdict = r.Verdict.ToString().ToUpperInvariant(),
                        images_per_second_a = r.MedianA,
                        images_per_second_b = r.MedianB,
                        ratio = r.Ratio,
                        low = r.Low,
                        high = r.High,
                        p = r.P,
                        band = r.Band,
                        notes = r.Why,
                    }),
                    exit = (int)exit,
                }
            );
            return exit;
        }
        static string F(double v, string f) => v.ToString(f, CultureInfo.InvariantCulture);
        Output.Table(
            ["benchmark", "A images/s", "B images/s", "B/A", "95 % interval", "p (Holm)", "band", "verdict"],
            rows.Select(r =>
                r.Verdict == PerformanceVerdict.Incomparable
                    ? [r.Key, "", "", "", "", "", "", "INCOMPARABLE"]
                    : new[]
                    {
                        r.Key,
                        F(r.MedianA, "g5"),
                        F(r.MedianB, "g5"),
                        F(r.Ratio, "f3"),
                        $"{F(r.Low, "f3")} to {F(r.High, "f3")}",
                        F(r.P, "f3"),
                        F(r.Band, "0.####"),
                        r.Verdict.ToString().ToUpperInvariant(),
                    }
            )
        );
        foreach (var r in rows)
        foreach (string line in r.Why)
            Output.Line($"note: {r.Key}: {line}");
        Output.Line(verdict);
        return exit;
    }

    /// <summary>Machines beside each other, the first as the reference.</summary>
    /// <param name="comparisons">Of every other folder with the first.</param>
    internal static Exit Across(
        IReadOnlyList<(string Folder, IReadOnlyList<ThroughputRow> Rows)> all,
        IReadOnlyList<IReadOnlyList<PerformanceRow>> comparisons,
        bool json
    )
    {
        var reference = all[0].Rows;
        var lines = new List<(string[] Text, object Json)>();
        for (int f = 0; f < all.Count; f++)
        {
            var (folder, table) = all[f];
            foreach (var group in table.GroupBy(Performance.KeyOf))
            {
                double? Mid(Func<ThroughputRow, double?> of) =>
                    group.Select(of).OfType<double>().ToArray() is { Length: > 0 } v ? Performance.Median(v) : null;
                var first = group.First();
                var compared =
                    f == 0
                        ? null
                        : comparisons[f - 1]
                            .FirstOrDefault(r => r.Key == group.Key && r.Verdict != PerformanceVerdict.Incomparable);
                string? check = first.CheckDigest;
                string? theirs = reference.FirstOrDefault(r => Performance.KeyOf(r) == group.Key)?.CheckDigest;
                string bits =
                    check is null || theirs is null ? "not recorded"
                    : check == theirs ? "same"
                    : "OTHER WORK";
                double? mfu = Mid(r =>
                    (r.PeakFlops ?? r.FmaFlops) is var peak and > 0 ? r.ImagesPerSecond * r.FlopsPerImage / peak : null
                );
                double? rate = Mid(r => r.ImagesPerSecond);
                double? joules = Mid(r => r.JoulesPerImage);
                string F(double? v, string f) => v is { } x ? x.ToString(f, CultureInfo.InvariantCulture) : "";
                double? tail = Mid(r => r.StepNsP99) / Mid(r => r.StepNsP50);
                lines.Add(
                    (
                        [
                            group.Key,
                            first.Machine,
                            first.Device,
                            F(rate, "g5"),
                            f == 0 ? "1"
                            : compared is null ? ""
                            : $"{F(compared.Ratio, "f3")} [{F(compared.Low, "f3")}, {F(compared.High, "f3")}]",
                            F(100 * mfu, "f1"),
                            F(joules, "g3"),
                            F(tail, "f2"),
                            bits,
                        ],
                        new
                        {
                            benchmark = group.Key,
                            folder,
                            machine = first.Machine,
                            device = first.Device,
                            images_per_second = rate,
                            ratio = compared?.Ratio,
                            low = compared?.Low,
                            high = compared?.High,
                            mfu,
                            peak_source = first.PeakSource,
                            joules_per_image = joules,
                            p99_over_p50 = tail,
                            bits,
                        }
                    )
                );
            }
        }
        if (json)
            Output.Json(
                new
                {
                    reference = all[0].Folder,
                    rows = lines.Select(l => l.Json),
                    exit = 0,
                }
            );
        else
        {
            Output.Table(
                ["benchmark", "machine", "device", "images/s", "of the first", "MFU %", "J/image", "p99/p50", "bits"],
                lines.Select(l => l.Text)
            );
            foreach (
                string? source in all.SelectMany(t => t.Rows.Select(r => r.PeakSource))
                    .Distinct()
                    .Where(x => x is not null)
            )
                Output.Line("MFU's denominator: " + source);
        }
        return Exit.Ok;
    }
}
