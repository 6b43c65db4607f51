namespace LutNative.Results;

/// <summary>What happened in a run, in order.</summary>
[Table("events")]
public sealed record EventRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column("since the process started")]
    public required long TNs { get; init; }

    [Column("run_start, stage_start, checkpoint, ...")]
    public required string Key { get; init; }

    [Column]
    public required string Stage { get; init; }

    [Column]
    public required long? Step { get; init; }

    [Column]
    public required string Value { get; init; }
}
