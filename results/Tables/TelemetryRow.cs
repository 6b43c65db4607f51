namespace LutNative.Results;

/// <summary>The state of host and device while a run goes on, at most once a second. New in 1.2.</summary>
[Table("telemetry", Since = 2)]
public sealed record TelemetryRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column]
    public required int DeviceIndex { get; init; }

    [Column("since the process started")]
    public required long TNs { get; init; }

    [Column("of the system")]
    public required double? Load1 { get; init; }

    [Column("of this process")]
    public required long RssBytes { get; init; }

    [Column("of the device")]
    public required double? ClockMhz { get; init; }

    [Column("W")]
    public required double? PowerW { get; init; }

    [Column("J, a counter: differences count")]
    public required double? EnergyJ { get; init; }

    [Column]
    public required double? TempC { get; init; }

    [Column("what holds clocks down")]
    public required string? Slowdown { get; init; }
}
