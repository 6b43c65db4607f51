using LutNative.Harness.Training;

namespace LutNative.Harness.Nightly;

/// <summary>What `lut nightly` was told.</summary>
/// <param name="PinnedBuild">
/// Another build to confirm a slowdown against, in turns; null confirms against the baseline in fresh processes.
/// </param>
/// <param name="Inject">A fault to plant in the bits stage, for drills.</param>
/// <param name="Slow">A slowdown to plant in the perf stage, for drills.</param>
internal sealed record NightOrder(
    Suite Suite,
    string Baselines,
    string Output,
    string Device,
    string? PinnedBuild,
    Fault? Inject,
    double Slow,
    bool Quiet,
    string[] Argv
);
