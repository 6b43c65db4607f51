using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>`compare --perf` and `bench --against` for people.</summary>
internal static class PerformanceText
{
    internal static void Write(PerformanceReport report)
    {
        Output.Table(
            ["benchmark", "A images/s", "B images/s", "B/A", "95 % interval", "p (Holm)", "band", "verdict"],
            report.Rows.Select(Row)
        );
        Output.Lines(report.Rows.SelectMany(r => r.Notes.Select(n => $"note: {r.Key}: {n}")));
        string numbers = report.Deciding is { } r
            ? FormattableString.Invariant(
                $" ratio={r.Ratio:f4} low={r.Low:f4} high={r.High:f4} p={r.P:f4} band={r.Band:0.####}"
            )
            : "";
        Output.Line($"VERDICT perf={report.Verdict} rows={report.Rows.Count}{numbers} exit={(int)report.Exit}");
    }

    private static string[] Row(PerformanceLine r) =>
        !r.IsComparable
            ? [r.Key, "", "", "", "", "", "", r.Verdict]
            :
            [
                r.Key,
                r.ImagesPerSecondA.Text("g5"),
                r.ImagesPerSecondB.Text("g5"),
                r.Ratio.Text("f3"),
                $"{r.Low.Text("f3")} to {r.High.Text("f3")}",
                r.P.Text("f3"),
                r.Band.Text("0.####"),
                r.Verdict,
            ];

    internal static void Write(MachinesReport report)
    {
        Output.Table(
            ["benchmark", "machine", "device", "images/s", "of the first", "MFU %", "J/image", "p99/p50", "bits"],
            report.Rows.Select(Row)
        );
        Output.Lines(report.PeakSources.Select(s => "MFU's denominator: " + s));
    }

    private static string[] Row(MachineLine r) =>
        [
            r.Benchmark,
            r.Machine,
            r.Device,
            r.ImagesPerSecond.Text("g5"),
            BesideTheFirst(r),
            (100 * r.Mfu).Text("f1"),
            r.JoulesPerImage.Text("g3"),
            r.P99OverP50.Text("f2"),
            r.Bits,
        ];

    private static string BesideTheFirst(MachineLine r)
    {
        if (r.IsReference)
            return "1";
        return r.Ratio is null ? "" : $"{r.Ratio.Text("f3")} [{r.Low.Text("f3")}, {r.High.Text("f3")}]";
    }
}
