namespace LutNative.Results;

/// <summary>What `lut analyze` measured of a trained encoder. New in 1.2.</summary>
[Table("analysis", Since = 2)]
public sealed record AnalysisRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column("attention_distance, uniform_distance, image_singular_value, token_singular_value", Exact = true)]
    public required string Kind { get; init; }

    [Column("block, from 0; the depth: after the final norm", Exact = true)]
    public required int Layer { get; init; }

    [Column("head, or rank of the singular value, from 0", Exact = true)]
    public required int Index { get; init; }

    [Column("pixels, or log of the singular value")]
    public required double Value { get; init; }

    [Column("that it is a mean over", Exact = true)]
    public required int Images { get; init; }
}
