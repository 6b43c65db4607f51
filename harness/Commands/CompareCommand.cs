using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>compare A B: two runs, or two checkpoints, bit by bit; or the speed of benchmarks.</summary>
internal static class CompareCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "compare",
            "Compare two runs (or two checkpoints) bit by bit: IDENTICAL, or the first difference. Example: "
                + "lut compare runs/a runs/b"
        );
        var a = command.Argument<string>("A", "A run's folder or a .safetensors file");
        var b = command.Argument<string>("B", "The other one");
        var more = command.Argument<string[]>(
            "more",
            "With --perf further folders: a table of machines, the first as the reference",
            ArgumentArity.ZeroOrMore
        );
        var exact = command.Flag("--exact", "Compare bits: what happens without --perf");
        var perf = command.Flag(
            "--perf",
            "Compare two folders of `lut bench SHAPE -o FOLDER`: FASTER, SAME, SLOWER or UNDECIDED (B beside A)"
        );
        var band = command.Band("--perf");
        var plot = command.Option<string?>("--plot", "Also draw how the losses drift apart, as this SVG file");
        var output = command.Output("Also write what was found to this folder (table comparisons)");
        var json = command.Json();
        command.SetAction(r =>
        {
            if (r.GetValue(exact) && r.GetValue(perf))
                throw UsageErrors.ExactOrPerf();
            if (!r.GetValue(perf) && r.GetValue(more) is { Length: > 0 })
                throw UsageErrors.BitsInPairs(r.GetValue(more)!);
            if (r.GetValue(perf))
                return SpeedComparison.Print(
                    [r.GetValue(a)!, r.GetValue(b)!, .. r.GetValue(more) ?? []],
                    r.GetValue(band) ?? PerformanceReport.DefaultBand,
                    r.GetValue(output),
                    r.GetValue(json)
                );
            return Output.Print(
                Compare(r.GetValue(a)!, r.GetValue(b)!, r.GetValue(plot), r.GetValue(output)),
                r.GetValue(json),
                CompareText.Write
            );
        });
        return command;
    }

    private static CompareResult Compare(string a, string b, string? plot, string? output)
    {
        var (found, key) = a.EndsWith(".safetensors", StringComparison.Ordinal)
            ? (CompareResult.OfCheckpoints(CheckpointComparison.Of(a, b)), "checkpoints")
            : OfRuns(RunFolders.Find(a), RunFolders.Find(b));
        if (plot is not null && found.RunsDiverged)
            Plot(plot, found.Growth);
        if (output is not null)
            ComparisonRecord.Write(
                output,
                [(ComparisonRecord.Found("exact", key, found.Report.Verdict.ToString(), found.First ?? ""), a, b)]
            );
        return found;
    }

    private static (CompareResult Found, string Protocol) OfRuns(RunStore a, RunStore b) =>
        (CompareResult.OfRuns(Comparison.Exact(a, b), a, b), ProtocolOf(a));

    private static string ProtocolOf(RunStore run) => run.Read(Schema.Run).First?.Protocol ?? "";

    private static void Plot(string path, IReadOnlyList<GrowthRow> growth)
    {
        string chart = Chart.File(
            "How the losses drift apart",
            "step",
            "relative difference of the losses",
            DriftChart.Lines(growth),
            logY: true
        );
        try
        {
            WholeFile.WriteText(path, chart);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWritePlot(path, e.Message);
        }
    }
}
