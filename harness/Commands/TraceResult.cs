using System.Globalization;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>Two runs whose steps are the same, or that cannot be compared.</summary>
/// <param name="Trace">Always null: there is none.</param>
internal sealed record NothingToTrace(string Verdict, TraceReport? Trace, Exit Exit) : IVerbResult
{
    internal static void Text(NothingToTrace found)
    {
        Output.Line("no step differs: there is nothing to trace");
        Output.Line(found.Verdict);
    }
}

/// <summary>Which of two runs is wrong where they part first, and what explains its bits.</summary>
/// <param name="First">The first difference.</param>
/// <param name="From">The step that execution began with; Source is where its state came from.</param>
/// <param name="Operations">How many there are in the step.</param>
internal sealed record TraceResult(
    string Verdict,
    string? First,
    string Stage,
    long Step,
    long From,
    string Source,
    TraceSide A,
    TraceSide B,
    int Operations,
    Exit Exit
) : IVerbResult
{
    internal required TraceReport Report { get; init; }

    internal static TraceResult Of(string? first, TraceReport report, Exit exit)
    {
        string wrong = (report.A.Agrees, report.B.Agrees) switch
        {
            (true, false) => "B",
            (false, true) => "A",
            (false, false) => "BOTH",
            _ => "NEITHER",
        };
        TraceSide[] suspects = [.. new[] { report.A, report.B }.Where(s => !s.Agrees)];
        string explained = suspects.All(s => s.Explanation is not null) ? "yes" : "no";
        return new TraceResult(
            FormattableString.Invariant(
                $"VERDICT trace={wrong} stage={report.Stage} step={report.Step} explained={explained} exit={(int)exit}"
            ),
            first,
            report.Stage,
            report.Step,
            report.From,
            report.Source,
            report.A,
            report.B,
            report.Operations.Count,
            exit
        )
        {
            Report = report,
        };
    }
}

/// <summary>`lut trace` for people.</summary>
internal static class TraceText
{
    internal static void Write(TraceResult found)
    {
        Output.Line("first difference: " + found.First);
        Output.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"this machine ran {found.Stage} from step {found.From} ({found.Source}) to step "
                    + $"{found.Step}: {found.Operations} operations in it"
            )
        );
        Side("A", found.A, found.Step);
        Side("B", found.B, found.Step);
        Output.Line(found.Verdict);
    }

    private static void Side(string name, TraceSide side, long step)
    {
        string bits = side.Agrees ? "this machine gives its bits" : "this machine gives other bits: " + side.Differs;
        Output.Line($"{name} {side.Run}: {bits}");
        if (side.Agrees)
            return;
        string explanation =
            side.Explanation
            ?? "none of what was tried: one changed element, or one operation's sums, fusing, TF32, flushing";
        Output.Line("  explanation: " + explanation);
        if (side.At is not null)
            Output.Line("  parts at:    " + side.At);
        if (side.Element is not null)
            Output.Line("  element:     here and there " + side.Element);
        if (side.Explanation is null && side.At is null)
            Output.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  next:        on the machine of {name}, run it again with --trace-step {step} (or "
                        + $"this trace with -o), and compare the operations"
                )
            );
    }
}
