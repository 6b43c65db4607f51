namespace LutNative.Harness.Training;

/// <summary>How a step is measured alone; no run sets any of it.</summary>
/// <param name="FrozenData">Every step sees the first batch, made once: a step without its data.</param>
public sealed record BenchOptions(bool FrozenData)
{
    public static BenchOptions None { get; } = new(FrozenData: false);
}
