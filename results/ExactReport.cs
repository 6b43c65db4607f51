namespace LutNative.Results;

public enum ExactVerdict
{
    Identical,
    IdenticalPrefix,
    Diverged,
    Missing,
    Incomparable,
}

/// <summary>One rung of the ladder from cause to effect.</summary>
/// <param name="Compared">Values that both runs recorded.</param>
/// <param name="Differ">Of them, how many differ.</param>
/// <param name="First">Where the first that differs is: stage and step, or the metric; null when none does.</param>
public sealed record Rung(string Name, int Compared, int Differ, string? First);

/// <summary>The first step that two runs do not share.</summary>
public sealed record FirstStep(string Stage, long Step);

/// <param name="Verdict">What the comparison found.</param>
/// <param name="First">
/// The first difference in execution order: stage, step, what, both values; null when there is none.
/// </param>
/// <param name="Details">Further lines: how many rows of each table were compared and how many differ.</param>
public sealed record ExactReport(ExactVerdict Verdict, string? First, IReadOnlyList<string> Details)
{
    /// <summary>Rows compared, by table.</summary>
    public IReadOnlyDictionary<string, int> Compared { get; init; } = new Dictionary<string, int>();

    public IReadOnlyList<Rung> Ladder { get; init; } = [];

    /// <summary>
    /// Where the first differing row of steps, operations or digests is; null when only evaluations differ.
    /// </summary>
    public FirstStep? At { get; init; }
}
