namespace LutNative.Results;

/// <summary>
/// Every operation of one step, in order, that `lut trace` or `--trace-step` recorded. New in 1.2.
/// </summary>
[Table("operations", Since = 2)]
public sealed record OperationRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column(Exact = true, Key = true)]
    public required string Stage { get; init; }

    [Column(Exact = true, Key = true)]
    public required long Step { get; init; }

    [Column("order of execution on one thread, grain by grain", Exact = true, Key = true)]
    public required int Ordinal { get; init; }

    [Column("forward, backward, optimizer", Exact = true, Key = true)]
    public required string Phase { get; init; }

    [Column("of the device: GemmNt, AdamW, ...", Exact = true, Key = true)]
    public required string Op { get; init; }

    [Column("the parameter it reads or makes the gradient of, or the last one before", Exact = true, Key = true)]
    public required string Tensor { get; init; }

    [Column("which of its outputs", Exact = true, Key = true)]
    public required string Output { get; init; }

    [Column(Exact = true)]
    public required string Shape { get; init; }

    [Column("16 bytes", Exact = true)]
    public required DigestBytes Digest { get; init; }

    [Column("elements", Exact = true)]
    public required long Nan { get; init; }

    [Column("elements", Exact = true)]
    public required long Inf { get; init; }

    [Column("elements", Exact = true)]
    public required long Zero { get; init; }

    [Column("elements", Exact = true)]
    public required long Subnormal { get; init; }
}
