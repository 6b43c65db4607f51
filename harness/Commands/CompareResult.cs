using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>Two runs or two checkpoints, bit by bit.</summary>
/// <param name="First">The first difference; null when there is none.</param>
/// <param name="Ladder">From cause to effect: how much was compared and differs.</param>
/// <param name="Replay">Commands that bring the first difference back.</param>
/// <param name="Compared">Rows, by table.</param>
/// <param name="Growth">How the losses drift apart.</param>
/// <param name="Flips">Predictions that differ, by metric.</param>
/// <param name="Environment">What is different about the machines.</param>
internal sealed record CompareResult(
    string Verdict,
    string? First,
    IReadOnlyList<Rung> Ladder,
    IReadOnlyList<string> Replay,
    IReadOnlyList<string> Details,
    IReadOnlyDictionary<string, int> Compared,
    IReadOnlyList<GrowthRow> Growth,
    IReadOnlyList<FlipRow> Flips,
    IReadOnlyList<string> Environment,
    Exit Exit
) : IVerbResult
{
    internal required ExactReport Report { get; init; }

    /// <summary>They are runs, and their bits differ: what follows from a difference is told of those alone.</summary>
    internal required bool RunsDiverged { get; init; }

    internal static CompareResult OfCheckpoints(ExactReport report) => Of(report, [], [], [], []);

    internal static CompareResult OfRuns(ExactReport report, RunStore a, RunStore b)
    {
        if (report.Verdict != ExactVerdict.Diverged)
            return Of(report, [], [], [], []);
        var growth = Divergence.Growth(a, b);
        var flips = Divergence.Flips(a, b);
        var environment = Divergence.Environment(a, b);
        string[] replay = report.At is { } at ? Commands.Replay.Of(a, b, at) : [];
        return Of(report, growth, flips, environment, replay) with { RunsDiverged = true };
    }

    private static CompareResult Of(
        ExactReport report,
        IReadOnlyList<GrowthRow> growth,
        IReadOnlyList<FlipRow> flips,
        IReadOnlyList<string> environment,
        IReadOnlyList<string> replay
    ) =>
        new(
            report.Verdict.ToString().ToUpperInvariant(),
            report.First,
            report.Ladder,
            replay,
            report.Details,
            report.Compared,
            growth,
            flips,
            environment,
            ExactVerdicts.ExitOf(report.Verdict)
        )
        {
            Report = report,
            RunsDiverged = false,
        };
}

/// <summary>`lut compare` for people.</summary>
internal static class CompareText
{
    internal static void Write(CompareResult found)
    {
        if (found.First is not null)
            Output.Line("first difference: " + found.First);
        Output.Lines(found.Details);
        if (found.RunsDiverged)
            Output.Table(
                ["rung", "compared", "differ", "first"],
                found.Ladder.Select(r => new[] { r.Name, r.Compared.Text(), r.Differ.Text(), r.First ?? "" })
            );
        if (found.Growth.Count > 0)
            Output.Table(
                ["stage", "step", "loss A", "loss B", "ulp", "relative"],
                found.Growth.Select(g =>
                    new[]
                    {
                        g.Stage,
                        g.Step.Text(),
                        g.LossA.Text(),
                        g.LossB.Text(),
                        g.Ulp.Text(),
                        g.Relative.Text("0.0e+0"),
                    }
                )
            );
        if (found.Flips.Count > 0)
            Output.Table(
                ["metric", "images", "other answer", "only A right", "only B right", "McNemar p"],
                found.Flips.Select(f =>
                    new[]
                    {
                        f.Metric,
                        f.Images.Text(),
                        f.Differ.Text(),
                        f.OnlyA.Text(),
                        f.OnlyB.Text(),
                        f.PValue.Text("f3"),
                    }
                )
            );
        Output.Lines(found.Environment.Select(line => "different: " + line));
        if (found.RunsDiverged && found.Environment.Count == 0)
            Output.Line(
                "different: nothing that was recorded of the machines; look for a fault (`lut trace`), or run "
                    + "both with --self-check"
            );
        Output.Lines(found.Replay.Select(line => "replay: " + line));
        Output.Line(ExactVerdicts.Line(found.Report, found.Exit));
    }
}
