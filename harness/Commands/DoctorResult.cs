using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Interop;

namespace LutNative.Harness.Commands;

/// <summary>What a machine does under a few seconds of load.</summary>
/// <param name="Held">The slowest window beside the median.</param>
internal sealed record ProbeResult(
    IReadOnlyList<double> FmaFlops,
    double Held,
    double? OtherLoad,
    double? ClockBeforeMhz,
    double? ClockAfterMhz,
    double MemoryBytesPerSecond,
    double? DiskBytesPerSecond,
    long? DiskFreeBytes,
    IReadOnlyList<string> Slowdown
)
{
    internal static ProbeResult Of(Probe p) =>
        new(
            p.FmaFlops,
            p.Held,
            p.OtherLoad,
            p.ClockBefore,
            p.ClockAfter,
            p.MemoryBytesPerSecond,
            p.DiskBytesPerSecond,
            p.DiskFree,
            p.Slowdown
        );
}

/// <summary>What a driver made of a kernel. Local bytes are registers that did not fit: slow, not wrong.</summary>
internal sealed record KernelUse(string Name, int Registers, int LocalBytes, int SharedBytes, int MostThreads)
{
    internal static KernelUse Of(CudaKernel k) =>
        new(
            k.Name,
            k.Attribute(FunctionAttribute.NumRegs),
            k.Attribute(FunctionAttribute.LocalSizeBytes),
            k.Attribute(FunctionAttribute.SharedSizeBytes),
            k.Attribute(FunctionAttribute.MaxThreadsPerBlock)
        );
}

/// <summary>A native library that this process has loaded.</summary>
internal sealed record LoadedLibrary(string Path, string Sha256);

/// <summary>What a machine is, and whether it is fit for what was asked.</summary>
/// <param name="HwKey">What baselines of this hardware are called.</param>
/// <param name="Load1">The system's load over the last minute.</param>
/// <param name="Exact">It keeps the contract; else <paramref name="Why"/> says what is broken.</param>
/// <param name="Perf">It is fit to be timed; null where that was not measured.</param>
/// <param name="GpuNote">Why there is no GPU.</param>
/// <param name="Unfit">What was required and is not so; empty when it is fit.</param>
internal sealed record DoctorResult(
    string Cpu,
    string Isa,
    string Device,
    string HwKey,
    int Cores,
    long MemoryBytes,
    string Os,
    string Runtime,
    string? Container,
    string? Governor,
    double? Load1,
    string Lut,
    string Contract,
    bool Exact,
    string? Why,
    bool? Perf,
    IReadOnlyList<string> PerfWhy,
    IReadOnlyList<string> Gpus,
    string GpuNote,
    GpuReading? GpuState,
    ProbeResult? Probe,
    IReadOnlyList<KernelUse> Kernels,
    IReadOnlyList<LoadedLibrary> Libraries,
    IReadOnlyList<string> Unfit,
    Exit Exit
) : IVerbResult
{
    /// <summary>What the machine was asked to be fit for.</summary>
    internal required IReadOnlyList<string> Needs { get; init; }

    /// <summary>The best vector width here.</summary>
    internal required string BestDevice { get; init; }
    internal required bool ShowKernels { get; init; }
    internal required bool ShowLibraries { get; init; }
}
