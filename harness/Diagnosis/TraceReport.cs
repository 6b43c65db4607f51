using LutNative.Harness.Recording;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>What was found about one of the two runs.</summary>
/// <param name="Agrees">This machine repeats what the run recorded of the step.</param>
/// <param name="Differs">What differs first between its record and this machine, when it does.</param>
/// <param name="Explanation">
/// In words, what makes this machine give the run's very bits; null when nothing that was tried does.
/// </param>
/// <param name="At">
/// The operation where the two part, or null: a changed value in memory has none, and without an explanation only a run
/// with --trace-step knows it.
/// </param>
/// <param name="Element">The first differing element of it: here, and there.</param>
public sealed record TraceSide(
    string Run,
    bool Agrees,
    string? Differs,
    string? Explanation,
    string? At,
    ElementPair? Element
);

/// <param name="From">The step that execution began with: a checkpoint that both share, or 0.</param>
public sealed record TraceReport(
    string Stage,
    long Step,
    long From,
    string Source,
    TraceSide A,
    TraceSide B,
    IReadOnlyList<Operation> Operations
);
