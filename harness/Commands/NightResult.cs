using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>One row of a night.</summary>
/// <param name="A">What it was held against; B is tonight's value.</param>
internal sealed record NightLine(
    string Kind,
    string Key,
    string Verdict,
    string Colour,
    string Reason,
    double? A,
    double? B,
    double? Ratio,
    double? Low,
    double? High,
    double? P,
    double? Band
)
{
    internal static NightLine Of(Finding f) =>
        new(
            f.Kind,
            f.Key,
            f.Verdict,
            f.Colour.ToString().ToLowerInvariant(),
            f.Reason,
            f.A,
            f.B,
            f.Ratio,
            f.Low,
            f.High,
            f.P,
            f.Band
        );
}

/// <param name="Night">Its folder.</param>
internal sealed record NightResult(string Verdict, string Night, IReadOnlyList<NightLine> Findings, Exit Exit)
    : IVerbResult
{
    internal static NightResult Of(string night, IReadOnlyList<Finding> findings)
    {
        var exit = ExitOf(findings);
        int red = findings.Count(f => f.Colour == Colour.Red);
        string word = exit switch
        {
            Exit.Negative => "RED",
            Exit.Unfit => "UNFIT",
            _ => "CLEAN",
        };
        return new NightResult(
            FormattableString.Invariant(
                $"VERDICT nightly={word} red={red} rows={findings.Count} night={night} exit={(int)exit}"
            ),
            night,
            [.. findings.Select(NightLine.Of)],
            exit
        );
    }

    internal static void Text(NightResult found)
    {
        Output.Table(
            ["stage", "row", "verdict", "what"],
            found.Findings.Select(f => new[] { f.Kind, f.Key, f.Verdict, f.Reason })
        );
        Output.Line(found.Verdict);
    }

    /// <summary>
    /// Red wins over everything: it was confirmed. Then a machine that could not say, a row without history, and rows
    /// that say nothing.
    /// </summary>
    private static Exit ExitOf(IReadOnlyList<Finding> findings)
    {
        if (findings.Any(f => f.Colour == Colour.Red))
            return Exit.Negative;
        if (findings.Any(f => f.Colour == Colour.Grey))
            return Exit.Unfit;
        if (findings.Any(f => f.Verdict is "UNSTABLE" or "INCOMPARABLE" or "NO-REFERENCE"))
            return Exit.Inconclusive;
        return findings.Any(f => f.Verdict == "NO-BASELINE") ? Exit.NothingSelected : Exit.Ok;
    }
}
