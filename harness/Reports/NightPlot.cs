using System.Globalization;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>A row's values over the nights.</summary>
internal static class NightPlot
{
    /// <summary>
    /// Points with their intervals, the band around the baseline of the day, and where the level changed between which
    /// commits.
    /// </summary>
    internal static Html Of(string kind, string key, List<Finding> f)
    {
        double[] x = [.. Enumerable.Range(0, f.Count).Select(i => (double)i)];
        double[] y = [.. f.Select(p => p.B!.Value)];
        var tonight = new Series(
            "tonight",
            x,
            y,
            kind == "perf" ? [.. f.Select(p => p.A * p.Low ?? double.NaN)] : null,
            kind == "perf" ? [.. f.Select(p => p.A * p.High ?? double.NaN)] : null,
            [
                .. f.Select(p =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{p.AtUtc:yyyy-MM-dd HH:mm}, {p.Verdict}, {p.B:g5}, commit {NightSections.Short(p.Commit)}"
                    )
                ),
            ],
            Points: true
        );
        var marks = new List<Mark>();
        if (f.LastOrDefault(p => p is { A: > 0, Band: > 0 }) is { } last && kind == "perf")
            marks.Add(
                new Mark(
                    last.A!.Value * (1 - last.Band!.Value),
                    string.Create(CultureInfo.InvariantCulture, $"baseline {last.A:g5}, band {100 * last.Band:f1} %"),
                    Until: last.A.Value * (1 + last.Band.Value)
                )
            );
        if (kind == "smoke" && f[^1].A is { } least)
            marks.Add(new Mark(least, string.Create(CultureInfo.InvariantCulture, $"least {least:g4}")));
        foreach (
            int i in kind == "perf"
                ? ChangePoints.Find(
                    y,
                    f.Select(p => p.Band).OfType<double>().DefaultIfEmpty(PerformanceReport.DefaultBand).Last()
                )
                : []
        )
            marks.Add(new Mark(i - 0.5, $"level changed between {f[i - 1].Commit} and {f[i].Commit}", Vertical: true));
        var lines = new List<Series> { tonight };
        if (kind == "perf" && f.Any(p => p.A is not null))
            lines.Add(new Series("baseline", x, [.. f.Select(p => p.A ?? double.NaN)]));
        return Chart.Line(
            $"{kind} {key}",
            "night",
            kind == "perf" ? "images/s" : "percent",
            lines,
            marks: marks,
            xText: i =>
                i >= 0 && i < f.Count && Math.Abs(i - Math.Round(i)) < 1e-9
                    ? f[(int)Math.Round(i)].AtUtc.Text("MM-dd")
                    : ""
        );
    }
}
