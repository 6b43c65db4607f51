using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Devices;

namespace LutNative.Harness.Experiments;

/// <summary>What --memory says: keep activations, or compute them again in the backward phase.</summary>
internal static class MemorySetting
{
    internal const string Auto = "auto";

    /// <summary>Share of a device's memory that a run may plan with: the system and other processes have the rest.</summary>
    internal const double Usable = 0.9;

    private const string Keep = "keep";
    private const string Again = "recompute";

    /// <summary>auto keeps activations where the run then fits nine tenths of the machine's memory.</summary>
    internal static bool Recompute(
        string memory,
        ProtocolSpec p,
        Device device,
        ExecOptions exec,
        BenchOptions? bench = null
    ) =>
        memory switch
        {
            Keep => false,
            Again => true,
            Auto => MemoryPlan.Run(p, device, exec, bench) > Usable * (device.MemoryBytes ?? Machine.RamBytes),
            _ => throw UsageErrors.NoMemorySetting(memory),
        };
}
