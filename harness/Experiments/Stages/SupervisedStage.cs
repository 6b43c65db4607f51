using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>Supervised training of the classifier: what fine-tuning and its baseline share.</summary>
internal abstract class SupervisedStage : ITrainedStage
{
    public abstract StageId Id { get; }
    public abstract StageInput Input { get; }
    public abstract bool IsBenched { get; }
    public bool Trains => true;
    public IReadOnlyList<string> Metrics => [Id.Top1];

    public abstract StagePresence In(ProtocolSpec p);

    public long Steps(ProtocolSpec p) => (long)(p.Data.TrainImages / p.Finetune.Batch) * p.Finetune.Epochs;

    public int Batch(ProtocolSpec p) => p.Finetune.Batch;

    public int Grain(ProtocolSpec p) => p.Finetune.Grain;

    public double FlopsPerImage(ProtocolSpec p) => new Cost(p, NetworkFactory.PretrainingOf(p)).FinetuneFlops;

    public IReadOnlyList<StageBytes> Moments(StageMemory memory) => memory.Supervised;

    public Trainer NewTrainer(
        ProtocolSpec p,
        Views views,
        Device device,
        Pool pool,
        ExecOptions exec,
        State? trunk = null,
        BenchOptions? bench = null
    ) => new FinetuneTrainer(p, views, device, pool, exec, trunk, bench);

    public void Run(RunContext run)
    {
        var trunk = Input == StageInput.Trunk ? run.Trunk.Student : null;
        using var t = new FinetuneTrainer(run.Spec, run.TrainViews, run.Device, run.Pool, run.Exec, trunk);
        run.Train(t);
        run.Measure(Id.Top1, () => Classify.Run(Id.Top1, t.Net, t.Packed(), run.TestViews, run.Device, run.Pool));
    }
}

/// <summary>Fine-tuning from the pre-trained network.</summary>
internal sealed class FinetuneStage : SupervisedStage
{
    public override StageId Id => StageId.Finetune;
    public override StageInput Input => StageInput.Trunk;
    public override bool IsBenched => true;

    public override StagePresence In(ProtocolSpec p) => p.Finetune.Epochs > 0 ? StagePresence.On : StagePresence.Off;
}

/// <summary>The same training from the seed: what pre-training is worth is the difference.</summary>
internal sealed class ScratchStage : SupervisedStage
{
    public override StageId Id => StageId.Scratch;
    public override StageInput Input => StageInput.Images;

    /// <summary>Its steps are fine-tuning's.</summary>
    public override bool IsBenched => false;

    public override StagePresence In(ProtocolSpec p) =>
        p.Baselines.Scratch && p.Finetune.Epochs > 0 ? StagePresence.On : StagePresence.Off;
}
