namespace LutNative.Results;

/// <summary>A tensor of the state after a step that is digested, every digest_every steps.</summary>
[Table("digests")]
public sealed record DigestRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column(Exact = true, Key = true)]
    public required string Stage { get; init; }

    [Column(Exact = true, Key = true)]
    public required long Step { get; init; }

    [Column("order in the state", Exact = true)]
    public required int Ordinal { get; init; }

    [Column("student/..., exp_avg/..., exp_avg_sq/..., teacher/...", Exact = true, Key = true)]
    public required string Tensor { get; init; }

    [Column(Exact = true)]
    public required string Shape { get; init; }

    [Column("16 bytes", Exact = true)]
    public required DigestBytes Digest { get; init; }
}
