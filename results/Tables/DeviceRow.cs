namespace LutNative.Results;

/// <summary>What computed. New in 1.2.</summary>
[Table("devices", Since = 2)]
public sealed record DeviceRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column("from 0")]
    public required int DeviceIndex { get; init; }

    [Column("cpu, cuda, emulated")]
    public required string Kind { get; init; }

    [Column("CPU model, or the GPU's name")]
    public required string Name { get; init; }

    [Column("cpu-512, cuda:0, ...")]
    public required string Device { get; init; }

    [Column("cores, or multiprocessors")]
    public required int Units { get; init; }

    [Column("that tensors may take")]
    public required long MemBytes { get; init; }

    [Column("of a GPU, 90 for 9.0")]
    public required string? ComputeCapability { get; init; }

    [Column]
    public required string? Driver { get; init; }

    [Column("8 bytes of the SHA-256 of the GPU's UUID")]
    public required string? UuidHash { get; init; }

    [Column("W")]
    public required double? PowerLimitW { get; init; }

    [Column("MHz")]
    public required double? ClockMaxMhz { get; init; }
}
