using LutNative.Harness.Evaluation;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>MAE's linear probe: trained on features of augmented images, which it makes itself.</summary>
internal sealed class LinprobeStage : IStage
{
    private const string ClassToken = "cls";

    public StageId Id => StageId.Linprobe;
    public bool Trains => true;
    public StageInput Input => StageInput.Trunk;
    public IReadOnlyList<string> Metrics => [Id.Top1];

    public StagePresence In(ProtocolSpec p) => p.Linprobe is null ? StagePresence.Absent : StagePresence.On;

    public long Steps(ProtocolSpec p) => p.Linprobe is { } l ? (long)(p.Data.TrainImages / l.Batch) * l.Epochs : 0;

    public IReadOnlyList<StageBytes> Moments(StageMemory memory) => [memory.Linprobe];

    public void Run(RunContext run)
    {
        using var features = new Features(
            run.Trunk.Net,
            run.Trunk.PackedStudent(),
            run.Device,
            run.Pool,
            cls: run.Spec.Linprobe!.Token == ClassToken
        );
        using var trainer = new LinprobeTrainer(run.Spec, features, run.TrainViews, run.HostDevice, run.HostPool);
        run.Train(trainer);
        run.Measure(Id.Top1, () => trainer.Evaluate(run.TestViews));
    }
}
