namespace LutNative.Results;

/// <summary>What `compare` and `nightly` found, a row a question. New in 1.2.</summary>
[Table("comparisons", Since = 2)]
public sealed record ComparisonRow : IRow
{
    [Column("UUIDv7 of the comparison")]
    public required RunId RunId { get; init; }

    [Column("UTC")]
    public required DateTime AtUtc { get; init; }

    [Column("exact, smoke, perf")]
    public required string Kind { get; init; }

    [Column("protocol, or shape and stage")]
    public required string Key { get; init; }

    [Column("the older or reference side")]
    public required string A { get; init; }

    [Column]
    public required string B { get; init; }

    [Column]
    public required string HwKey { get; init; }

    [Column("IDENTICAL, SAME, SLOWER, ...")]
    public required string Verdict { get; init; }

    [Column("images/s or percent")]
    public required double? ValueA { get; init; }

    [Column]
    public required double? ValueB { get; init; }

    [Column("B over A")]
    public required double? Ratio { get; init; }

    [Column("95 % interval of the ratio")]
    public required double? Low { get; init; }

    [Column]
    public required double? High { get; init; }

    [Column("after Holm's correction")]
    public required double? P { get; init; }

    [Column("what counts as noise")]
    public required double? Band { get; init; }

    [Column("UTF-8")]
    public required byte[] Reason { get; init; }

    [Column("commit of B")]
    public required string GitSha { get; init; }

    [Column("of the statistics")]
    public required int MethodVersion { get; init; }
}
