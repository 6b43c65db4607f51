using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Bench;

/// <summary>A kernel's launches of one step.</summary>
/// <param name="Bytes">Read and written.</param>
/// <param name="FloorMs">What the data sheet allows; 0 without one.</param>
internal sealed record KernelLine(
    string Name,
    int Launches,
    double Flops,
    double Bytes,
    double FloorMs,
    double MeasuredMs
);

/// <summary>One optimiser step by kernel: what each asks of a GPU, and how long it should and does take.</summary>
/// <param name="Level">The contract, or a level of run-to-run math.</param>
/// <param name="Sheet">The data sheet's device; null for a GPU that has none here.</param>
internal sealed record KernelReport(
    string Shape,
    string Stage,
    int Batch,
    string Device,
    string Level,
    string? Sheet,
    double FloorMs,
    double MeasuredMs,
    IReadOnlyList<KernelLine> Kernels
) : IVerbResult
{
    internal required string? SheetTitle { get; init; }

    /// <summary>Nothing was run on the device, which is not here.</summary>
    internal required bool Planned { get; init; }
    internal required int SamplesAtOnce { get; init; }
    internal required bool Recompute { get; init; }
    internal required long? DeviceBytes { get; init; }
}
