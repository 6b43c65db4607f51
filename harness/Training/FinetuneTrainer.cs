using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Training;

/// <summary>
/// Supervised training of the classifier: fine-tuning from a pre-trained trunk, or the same from scratch.
/// </summary>
public sealed class FinetuneTrainer : Trainer, ILabelledSource
{
    private readonly ProtocolSpec protocol;
    private readonly FinetuneSpec f;
    private readonly Pool pool;
    private readonly Device device;
    private readonly Views views;
    private readonly Weights weights;
    private readonly ClassifierStep step;
    private readonly ulong seed;
    private readonly uint stageId;
    private readonly int mixBatch;
    private readonly SampleOrder order;
    private readonly BatchFeed feed;
    private long current;

    [ThreadStatic]
    private static float[]? partner;

    /// <param name="trunk">Pre-trained values to start from, or null for scratch.</param>
    public FinetuneTrainer(ProtocolSpec protocol, Views views, Device device, Pool pool, ExecOptions exec, State? trunk)
        : base(device)
    {
        this.device = device;
        this.protocol = protocol;
        f = protocol.Finetune;
        this.pool = pool;
        this.views = views;
        seed = (ulong)protocol.Seed;
        Stage = trunk is null ? "scratch" : "finetune";
        stageId = trunk is null ? 2u : 1u;
        mixBatch = protocol.Transform?.MixBatch ?? f.Batch;
        order = new SampleOrder(seed, stageId, views.Images.Count, f.Batch);
        Net = new Classifier(PretrainTrainer.ShapeOf(protocol), protocol.Data.Classes, f.GlobalPool, (float)f.DropPath);
        State = new State(Net.Layout, Arena);
        Initializer.Fill(State, seed + 1);
        if (trunk is not null)
            Load(trunk);
        weights = new Weights(State, device, Arena, backward: true);
        step = new ClassifierStep(Net, weights, device, pool, Arena, exec.PlanOf(device, f.Batch, f.Batch, f.Grain));
        Optimizer = new AdamWOptimizer(
            device,
            State,
            Arena,
            f.Beta1,
            f.Beta2,
            f.Eps,
            Net.Groups(f.LayerDecay, f.WeightDecay)
        );
        feed = new BatchFeed(
            f.Batch,
            Net.Shape.Grid.ImageFloats,
            Net.Classes,
            0,
            exec.DataWorkers,
            exec.FrozenData,
            Fill
        );
    }

    public Classifier Net { get; }
    public State State { get; }
    public override string Stage { get; }
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
        current = s;
        long time = PhaseClock.Now;
        weights.Pack(pool);
        time = pool.Clock.Add(Phase.Optimizer, 0, time);
        feed.Begin(s, Steps, Digested(s));
        pool.Clock.Add(Phase.Data, 0, time);
        device.BeginStep(Stage);
        float loss = step.Run(this);
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
        return new StepReport(lr, loss, null, null, norm, Digest.Of(order.Of(s)), feed.WaitNs, feed.Digests()?.Views);
    }

    protected override long? GradientOffset(nint address) => step.GradientOffset(address);

    public override IEnumerable<(string Name, State State)> States =>
        [("student", State), ("exp_avg", Optimizer.M), ("exp_avg_sq", Optimizer.V)];

    public Weights Packed()
    {
        weights.Pack(pool);
        return weights;
    }

    void ILabelledSource.Load(int position, Span<float> image, Span<float> target) =>
        feed.Load(position, image, target, []);

    private void Fill(long s, int position, Span<float> image, Span<float> target, Span<ulong> keys)
    {
        var ids = order.Of(s);
        uint epoch = Epoch(s);
        int group = position / mixBatch;
        int mine = ids[position];
        int other = ids[group * mixBatch + mixBatch - 1 - position % mixBatch];
        var mix = DrawMix(s, (uint)group);
        views.Train(mine, epoch, 10 + stageId, image);
        if (mix.Lam < 1.0)
        {
            if (partner is null || partner.Length != image.Length)
                partner = new float[image.Length];
            views.Train(other, epoch, 10 + stageId, partner);
            if (mix.Cut)
                Mixing.CutMix(image, partner, protocol.Data.ImageSize, mix.Box);
            else
                Mixing.MixUp(image, partner, mix.Lam);
        }
        Mixing.Target(target, views.Images.Labels[mine], views.Images.Labels[other], mix.Lam, f.Smoothing);
    }

    float ILabelledSource.DropPathDraw(int position, int block, int branch) =>
        new Philox(
            seed,
            Purpose.DropPath,
            (ulong)order.Of(current)[position],
            Epoch(current),
            (stageId << 16) | (uint)(2 * block + branch)
        ).NextFloat();

    /// <summary>
    /// timm 0.4.12 Mixup in batch mode: one lambda, and one choice between mixup and cutmix, a group of samples (the
    /// batch of a process in the source).
    /// </summary>
    private (double Lam, bool Cut, Mixing.Box Box) DrawMix(long s, uint group)
    {
        var random = new Philox(seed, Purpose.Mix, (ulong)s, stageId, group);
        if ((f.Mixup <= 0 && f.Cutmix <= 0) || random.NextDouble() >= f.MixProb)
            return (1.0, false, default);
        bool cut = f.Mixup <= 0 || (f.Cutmix > 0 && random.NextDouble() < f.MixSwitchProb);
        double lam = BetaDistribution.Draw(ref random, cut ? f.Cutmix : f.Mixup);
        int size = protocol.Data.ImageSize;
        var box = Mixing.CutBox(size, lam, (int)random.NextBelow((uint)size), (int)random.NextBelow((uint)size));
        return cut ? (1.0 - box.Area / (double)(size * size), true, box) : (lam, false, default);
    }

    public override void Dispose()
    {
        feed.Dispose();
        base.Dispose();
    }

    private uint Epoch(long s) => (uint)(s / StepsPerEpoch);
}
