using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>
/// Supervised training of the classifier: fine-tuning from a pre-trained trunk, or the same from scratch.
/// </summary>
public sealed class FinetuneTrainer : Trainer
{
    private readonly FinetuneSpec f;
    private readonly Pool pool;
    private readonly Device device;
    private readonly Views views;
    private readonly Weights weights;
    private readonly ClassifierStep step;
    private readonly SupervisedSamples samples;
    private readonly SupervisedFeed feed;

    /// <param name="trunk">Pre-trained values to start from, or null for scratch.</param>
    public FinetuneTrainer(
        ProtocolSpec protocol,
        Views views,
        Device device,
        Pool pool,
        ExecOptions exec,
        State? trunk,
        BenchOptions? bench = null
    )
        : base(device)
    {
        this.device = device;
        f = protocol.Finetune;
        this.pool = pool;
        this.views = views;
        Id = trunk is null ? StageId.Scratch : StageId.Finetune;
        samples = new SupervisedSamples(protocol, views, Id);
        Net = NetworkFactory.ClassifierOf(protocol, training: true);
        var values = new SupervisedValues(f, Net, device, pool, exec, Arena);
        State = values.State;
        weights = values.Weights;
        step = values.Step;
        Optimizer = values.Optimizer;
        Initializer.Fill(State, (ulong)protocol.Seed + 1);
        if (trunk is not null)
            Load(trunk);
        feed = new SupervisedFeed(
            samples,
            f.Batch,
            Net.Shape.Grid.ImageFloats,
            Net.Classes,
            exec.DataWorkers,
            (bench ?? BenchOptions.None).FrozenData
        );
    }

    public Classifier Net { get; }
    public State State { get; }
    public override StageId Id { get; }
    public override AdamWOptimizer Optimizer { get; }
    public override int StepsPerEpoch => views.Images.Count / f.Batch;
    public override int Epochs => f.Epochs;
    public override int Batch => f.Batch;
    public override int DigestEvery => f.DigestEvery;

    /// <summary>
    /// Copies every tensor of the trunk that the classifier has under the same name and shape (head and fc_norm start
    /// fresh).
    /// </summary>
    private void Load(State trunk)
    {
        foreach (var e in State.Layout.Entries)
            if (
                trunk.Layout.Find(e.Name) is { } from
                && from.Count == e.Count
                && !e.Name.StartsWith("head", StringComparison.Ordinal)
            )
                State.CopyFrom(e, trunk, from);
    }

    public override StepReport Step(long s)
    {
        long time = PhaseClock.Now;
        weights.Pack(pool);
        time = pool.Clock.Add(Phase.Optimizer, 0, time);
        feed.Begin(s, Steps, Digested(s));
        pool.Clock.Add(Phase.Data, 0, time);
        device.BeginStep(Stage);
        float loss = step.Run(feed);
        time = PhaseClock.Now;
        float norm = Optimizer.ClipNorm(pool, step.Gradient, f.ClipGrad > 0 ? f.ClipGrad : null);
        Finite.Check(device, Stage, s, loss, norm, step.Gradient);
        double lr = Schedules.LearningRate(
            (double)s / StepsPerEpoch,
            BaseRate(f.Blr, f.LrRule, f.Batch),
            f.MinLr,
            f.WarmupEpochs,
            f.Epochs
        );
        Optimizer.Step(pool, step.Gradient, lr);
        device.EndStep();
        pool.Clock.Add(Phase.Optimizer, 0, time);
        return new StepReport(lr, loss, null, null, norm, Digest.Of(samples.Of(s)), feed.WaitNs, feed.Digests()?.Views);
    }

    protected override long? GradientOffset(nint address) => step.GradientOffset(address);

    public override IEnumerable<(string Name, State State)> States =>
        [("student", State), ("exp_avg", Optimizer.M), ("exp_avg_sq", Optimizer.V)];

    public Weights Packed()
    {
        weights.Pack(pool);
        return weights;
    }

    public override void Dispose()
    {
        feed.Dispose();
        base.Dispose();
    }
}
