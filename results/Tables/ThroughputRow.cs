namespace LutNative.Results;

/// <summary>
/// One block of whole steps that `lut bench` measured. Blocks of one launch share a process. New in 1.1.
/// </summary>
[Table("throughput", Since = 1)]
public sealed record ThroughputRow : IRow
{
    [Column("UUIDv7 of the benchmark", Key = true)]
    public required RunId RunId { get; init; }

    [Column("UTC, when it was recorded")]
    public required DateTime AtUtc { get; init; }

    [Column("of `lut bench`, or a protocol", Exact = true, Key = true)]
    public required string Shape { get; init; }

    [Column("pretrain, finetune", Exact = true, Key = true)]
    public required string Stage { get; init; }

    [Column("lut, mae", Exact = true, Key = true)]
    public required string Method { get; init; }

    [Column("samples of a step", Exact = true, Key = true)]
    public required int Batch { get; init; }

    [Column("numerics contract, or level of math, device and libraries", Exact = true)]
    public required string Contract { get; init; }

    [Column("cpu-512, cuda:0, ...")]
    public required string Device { get; init; }

    [Column("CPU model, or the GPU's name")]
    public required string Machine { get; init; }

    [Column]
    public required int Threads { get; init; }

    [Column("fresh process, from 0", Key = true)]
    public required int Launch { get; init; }

    [Column("of a launch, from 0", Key = true)]
    public required int Block { get; init; }

    [Column]
    public required double ImagesPerSecond { get; init; }

    [Column("of matrix products, two a multiply-add")]
    public required double FlopsPerImage { get; init; }

    [Column("FLOP/s: the machine's multiply-add limit, measured before the block")]
    public required double FmaFlops { get; init; }

    [Column("J of the GPU, mean of the launch")]
    public required double? JoulesPerImage { get; init; }

    [Column("of the launch")]
    public required long NSteps { get; init; }

    [Column("of the student after the launch's steps: equal work has equal digests")]
    public required string StateDigest { get; init; }

    [Column]
    public required string LutVersion { get; init; }

    [Column("ns of a step: median of the block", Since = 2)]
    public required long? StepNsP50 { get; init; }

    [Column("ns", Since = 2)]
    public required long? StepNsP90 { get; init; }

    [Column("ns", Since = 2)]
    public required long? StepNsP99 { get; init; }

    [Column("ns", Since = 2)]
    public required long? StepNsMax { get; init; }

    [Column("share of the block that steps waited for data", Since = 2)]
    public required double? DataWait { get; init; }

    [Column("FLOP/s: MFU's denominator", Since = 2)]
    public required double? PeakFlops { get; init; }

    [Column("a data sheet, or measured", Since = 2)]
    public required string? PeakSource { get; init; }

    [Column("cores that other processes kept busy during the block", Since = 2)]
    public required double? OtherLoad { get; init; }

    [Column("at the block's end", Since = 2)]
    public required double? ClockMhz { get; init; }

    [Column("what held clocks down, comma separated", Since = 2)]
    public required string? Slowdown { get; init; }

    [Column("before the first block", Since = 2)]
    public required long? WarmupSteps { get; init; }

    [Column("what histories of speed are kept by", Since = 2)]
    public required string? HwKey { get; init; }

    [Column(
        "of the student after the first three steps: equal on every machine and in every build of the " + "contract",
        Since = 2
    )]
    public required string? CheckDigest { get; init; }
}
