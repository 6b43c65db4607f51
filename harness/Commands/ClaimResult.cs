using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>A run that is held against a claim.</summary>
/// <param name="Run">Its folder.</param>
internal sealed record ClaimRun(string Run, long Seed, long Correct, long N)
{
    internal required string Protocol { get; init; }
    internal double Percent => 100.0 * Correct / N;
}

/// <summary>Whether runs reproduce a published number.</summary>
/// <param name="Claim">Its name.</param>
/// <param name="Mean">Of our runs, in percent; Sd, Interval and Prediction need three runs.</param>
/// <param name="Interval">Of our mean, 95 %: low and high.</param>
/// <param name="Prediction">Of what was reported, 95 %: low and high.</param>
internal sealed record ClaimResult(
    string Claim,
    string Source,
    double Reported,
    IReadOnlyList<double> ReportedRuns,
    IReadOnlyList<ClaimRun> Runs,
    double Mean,
    double? Sd,
    double[]? Interval,
    double[]? Prediction,
    IReadOnlyList<string> Notes,
    string Verdict,
    Exit Exit
) : IVerbResult
{
    internal required Claim About { get; init; }

    /// <summary>The 90 % interval of the difference from the reported value.</summary>
    internal required double? EquivalenceLow { get; init; }
    internal required double? EquivalenceHigh { get; init; }
}

/// <summary>`verify --claim` for people.</summary>
internal static class ClaimText
{
    private const string TooFew = "needs three runs";

    internal static void Write(ClaimResult found)
    {
        Output.Line($"{found.About.Title} ({found.Source})");
        Output.Table(
            ["run", "seed", "correct", "percent"],
            found.Runs.Select(r => new[] { r.Run, r.Seed.Text(), $"{r.Correct}/{r.N}", r.Percent.Text("f3") })
        );
        string spread = found.Sd is { } sd ? ", standard deviation " + sd.Text("f3") : "";
        Output.Table(
            ["what", "value"],
            [
                ["reported", Reported(found)],
                ["ours", $"mean {found.Mean.Text("f3")}, {found.Runs.Count} run(s){spread}"],
                ["95 % interval of our mean", Interval(found.Interval)],
                ["95 % prediction interval", Interval(found.Prediction)],
                ["equivalence", Equivalence(found)],
            ]
        );
        Output.Lines(found.Notes.Select(n => "note: " + n));
        Output.Line(found.Verdict);
    }

    private static string Reported(ClaimResult found)
    {
        string printed = found.Reported.Text("R");
        if (found.ReportedRuns.Count > 0)
            return $"{printed}; its {found.ReportedRuns.Count} runs have the mean {found.About.Target.Text("f3")}";
        string half = (found.About.Precision / 2).Text("R");
        return $"{printed}, give or take {half} of printing; {found.About.Selection} epoch in the source, last "
            + "epoch here";
    }

    private static string Interval(double[]? interval) =>
        interval is [var low, var high] ? $"{low.Text("f3")} to {high.Text("f3")}" : TooFew;

    private static string Equivalence(ClaimResult found) =>
        found.EquivalenceLow is { } low
            ? $"difference {low.Text("f3")} to {found.EquivalenceHigh.Text("f3")} (90 %), margin "
                + $"{found.About.Margin.Text("R")}"
            : TooFew;
}
