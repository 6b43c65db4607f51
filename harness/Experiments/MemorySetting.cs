using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Devices;

namespace LutNative.Harness.Experiments;

/// <summary>What --memory says: keep activations, or compute them again in the backward phase.</summary>
internal static class MemorySetting
{
    /// <summary>auto keeps activations where the run then fits nine tenths of the machine's memory.</summary>
    internal static bool Recompute(string memory, ProtocolSpec p, Device device, ExecOptions exec) =>
        memory switch
        {
            "keep" => false,
            "recompute" => true,
            "auto" => MemoryPlan.Run(p, device, exec) > 0.9 * (device.MemoryBytes ?? Machine.RamBytes),
            _ => throw new LutError(
                Exit.Usage,
                17,
                $"there is no memory setting {memory}",
                "--memory",
                "the settings are keep, recompute and auto",
                $"did you mean {Nearest.To(memory, ["keep", "recompute", "auto"])}?"
            ),
        };
}
