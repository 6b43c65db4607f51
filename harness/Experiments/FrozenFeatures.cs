using LutNative.Harness.Evaluation;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Experiments;

/// <summary>
/// The trunk's features of both splits, made when a stage first asks and kept for the next ones that do; gone before a
/// stage that needs the memory for other things.
/// </summary>
public sealed class FrozenFeatures : IDisposable
{
    private Arena? arena;
    private (Mat Train, Mat Test) made;

    internal (Mat Train, Mat Test) Of(RunContext run)
    {
        if (arena is not null)
            return made;
        run.Progress.Say("stage=features");
        using var features = new Features(run.Trunk.Net, run.Trunk.PackedStudent(), run.Device, run.Pool);
        arena = new Arena();
        made = (features.Encode(run.TrainViews, arena), features.Encode(run.TestViews, arena));
        return made;
    }

    public void Dispose()
    {
        arena?.Dispose();
        arena = null;
    }
}
