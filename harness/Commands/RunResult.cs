using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>What run, pretrain, finetune and eval found.</summary>
/// <param name="Run">The run's folder.</param>
internal sealed record RunResult(
    string Run,
    string Protocol,
    string MathHash,
    IReadOnlyList<EvalLine> Evals,
    string Verdict,
    Exit Exit
) : IVerbResult
{
    /// <summary>What differs from the reference.</summary>
    internal required IReadOnlyList<string> Differences { get; init; }

    internal static void Text(RunResult found)
    {
        EvalLine.Table(found.Evals);
        if (found.Protocol == "hello@1")
            Output.Line(
                "hello@1 trains for seconds on 256 images: its accuracies are below the raw pixels' on "
                    + "purpose. It asks whether the bits agree, and nothing else."
            );
        Output.Line($"results {found.Run}");
        Output.Lines(found.Differences);
        Output.Line(found.Verdict);
    }
}
