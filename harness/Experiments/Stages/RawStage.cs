using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>Neighbours and a probe of the pixels themselves: features below these are worth nothing.</summary>
internal sealed class RawStage : IStage
{
    private static readonly string Neighbours = $"{StageId.Raw}_{StageId.Knn.Top1}";
    private static readonly string Linear = $"{StageId.Raw}_{StageId.Probe.Top1}";

    public StageId Id => StageId.Raw;
    public bool Trains => false;
    public StageInput Input => StageInput.Images;
    public IReadOnlyList<string> Metrics => [Neighbours, Linear];

    public StagePresence In(ProtocolSpec p) => p.Baselines.RawPixels ? StagePresence.On : StagePresence.Off;

    public long Steps(ProtocolSpec p) => 0;

    public IReadOnlyList<StageBytes> Moments(StageMemory memory) => [memory.RawPixels];

    public void Run(RunContext run)
    {
        using var arena = new Arena();
        // ProtocolRules allows no other images
        Mat train = Features.RawPixels((GrayImages)run.TrainViews.Images, arena);
        Mat test = Features.RawPixels((GrayImages)run.TestViews.Images, arena);
        run.Measure(Neighbours, () => KnnStage.Neighbours(run, train, test) with { Metric = Neighbours });
        run.Measure(Linear, () => ProbeStage.Linear(run, train, test) with { Metric = Linear });
    }
}
