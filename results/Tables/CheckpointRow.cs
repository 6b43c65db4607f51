namespace LutNative.Results;

/// <summary>
/// A row for each checkpoint, committed before the checkpoint has its name: one that has no row, or other bytes, is
/// not what the run wrote. New in 1.3.
/// </summary>
[Table("checkpoints", Since = 3)]
public sealed record CheckpointRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column]
    public required string Stage { get; init; }

    [Column("the next to run")]
    public required long Step { get; init; }

    [Column("of the tables, the last one that the checkpoint knows")]
    public required int Part { get; init; }

    [Column("in the folder checkpoints; older ones are removed as newer ones are made")]
    public required string File { get; init; }

    [Column("of the file")]
    public required long Bytes { get; init; }

    [Column("of the file")]
    public required string Sha256 { get; init; }
}
