using LutNative.Harness.Errors;
using LutNative.Interop;

namespace LutNative.Harness.Bench;

/// <summary>
/// What a GPU can do by its maker's data sheet: dense, no sparsity. Predictions divide by these, so a measured time
/// cannot be below one of them; memory bandwidth and arithmetic reach 70 to 95 % of the sheet in practice.
/// </summary>
/// <param name="MemoryBytes">Of the device, 1e9 based as sold.</param>
/// <param name="Watts">Of the board at most.</param>
internal sealed record Hardware(
    string Name,
    string Title,
    int Multiprocessors,
    double Float32,
    double Tf32,
    double Bf16,
    double BytesPerSecond,
    double MemoryBytes,
    double Watts
)
{
    // NVIDIA's data sheets: A100 80GB SXM (2021), H100 SXM (2023), H200 SXM (2024), L40S (2023), RTX 4090 (Ada
    // whitepaper, 2022)
    internal static IReadOnlyList<Hardware> Known { get; } =
    [
        new("a100", "A100-SXM4-80GB", 108, 19.5e12, 156e12, 312e12, 2.039e12, 80e9, 400),
        new("h100", "H100 SXM", 132, 66.9e12, 494.7e12, 989.4e12, 3.35e12, 80e9, 700),
        new("h200", "H200 SXM", 132, 66.9e12, 494.7e12, 989.4e12, 4.8e12, 141e9, 700),
        new("l40s", "L40S", 142, 91.6e12, 183e12, 362e12, 0.864e12, 48e9, 350),
        new("rtx4090", "GeForce RTX 4090", 128, 82.6e12, 82.6e12, 165.2e12, 1.008e12, 24e9, 450),
    ];

    internal static Hardware Find(string name) =>
        Known.FirstOrDefault(h => h.Name == name) ?? throw UsageErrors.NoDataSheet(name, Known.Select(h => h.Name));

    /// <summary>The sheet of a device by the name that its driver gives, or null.</summary>
    internal static Hardware? Of(string deviceName) =>
        Known.FirstOrDefault(h =>
            deviceName.Replace(" ", "", StringComparison.Ordinal).Contains(h.Name, StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>Seconds that a launch cannot go below.</summary>
    internal double Floor(in Work w) =>
        Math.Max(
            w.Flops
                / (
                    w.Share
                    * (
                        w.Unit switch
                        {
                            Unit.TensorCoreBf16 => Bf16,
                            Unit.TensorCoreTf32 => Tf32,
                            _ => Float32,
                        }
                    )
                ),
            w.Bytes / BytesPerSecond
        );
}
