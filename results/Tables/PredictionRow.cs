namespace LutNative.Results;

/// <summary>What an evaluation predicted for one image.</summary>
[Table("predictions")]
public sealed record PredictionRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column(Exact = true, Key = true)]
    public required string Metric { get; init; }

    [Column("in the test file", Exact = true, Key = true)]
    public required int SampleIndex { get; init; }

    [Column(Exact = true)]
    public required int Label { get; init; }

    [Column(Exact = true)]
    public required int Top1 { get; init; }

    [Column("winner's lead")]
    public required float Margin { get; init; }

    [Column(Exact = true)]
    public required Bits32 MarginBits { get; init; }
}
