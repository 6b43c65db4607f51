using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Training;

/// <summary>MAE or LUT pre-training of a protocol.</summary>
public sealed class PretrainTrainer : Trainer
{
    private readonly ProtocolSpec protocol;
    private readonly Pool pool;
    private readonly Device device;
    private readonly Views views;
    private readonly BatchPlan plan;
    private readonly bool recompute;
    private Arena? stepArena;
    private PretrainStep? step;
    private readonly Weights weights;
    private readonly Weights? teacherWeights;
    private readonly State? teacher;
    private readonly BatchFeed feed;
    private readonly SampleOrder order;

    public PretrainTrainer(ProtocolSpec protocol, Views views, Device device, Pool pool, ExecOptions exec)
        : base(device)
    {
        this.protocol = protocol;
        this.views = views;
        this.device = device;
        this.pool = pool;
        var p = protocol.Pretrain;
        order = new SampleOrder((ulong)protocol.Seed, 0, views.Images.Count, p.Batch);
        Net = NetworkOf(protocol);
        Student = new State(Net.Layout, Arena);
        Initializer.Fill(Student, (ulong)protocol.Seed);
        weights = new Weights(Student, device, Arena, backward: true);
        if (Net.Options.Context)
        {
            teacher = new State(Net.Layout, Arena);
            teacher.CopyFrom(Student);
            teacherWeights = new Weights(teacher, device, Arena, backward: false);
        }
        plan = PlanOf(protocol, device, exec);
        recompute = exec.Recompute;
        // timm optim_factory.py:29-41: no decay for one-dimensional tensors; cls_token and mask_token are decayed
        Optimizer = new AdamWOptimizer(
            device,
            Student,
            Arena,
            p.Beta1,
            p.Beta2,
            p.Eps,
            e => new ParameterGroup(1.0, e.Shape.Length == 1 ? 0.0 : p.WeightDecay)
        );
        var grid = Net.Mae.Shape.Grid;
        feed = new BatchFeed(
            p.Batch,
            grid.ImageFloats,
            Net.Options.Context ? grid.ImageFloats : 0,
            grid.Patches,
            exec.DataWorkers,
            exec.FrozenData,
            Fill
        );
    }

    public Lut Net { get; }
    public State Student { get; }
    public override string Stage => "pretrain";
    public override AdamWOptimizer Optimizer { get; }
    public override int StepsPerEpoch => views.Images.Count / protocol.Pretrain.Batch;
    public override int Epochs => protocol.Pretrain.Epochs;
    public override int Batch => protocol.Pretrain.Batch;
    public override int DigestEvery => protocol.Pretrain.DigestEvery;

    public static VitShape ShapeOf(ProtocolSpec p) =>
        new(
            new PatchGrid(p.Data.ImageSize, p.Model.PatchSize),
            p.Model.Width,
            p.Model.Depth,
            p.Model.Heads,
            p.Model.MlpRatio,
            (float)p.Model.NormEps
        );

    public static Lut NetworkOf(ProtocolSpec p)
    {
        var t = p.Pretrain;
        var options = new LutOptions(
            t.MaskRatio,
            t.NormPixLoss,
            t.WMae,
            t.Method == "lut" ? t.WBc : 0.0,
            t.Method == "lut",
            t.DepthHead,
            t.DepthPred,
            t.HeadMlpDim,
            t.HeadNormLayer switch
            {
                "BN" => HeadNorm.BatchNorm,
                "LN" => HeadNorm.LayerNorm,
                _ => HeadNorm.None,
            },
            t.HeadActLayer == "GELU" ? HeadActivation.Gelu : HeadActivation.Relu
        );
        return new Lut(
            ShapeOf(p),
            new DecoderShape(p.Model.DecoderWidth, p.Model.DecoderDepth, p.Model.DecoderHeads, p.Model.MlpRatio),
            options
        );
    }

    public static BatchPlan PlanOf(ProtocolSpec p, Device device, ExecOptions exec) =>
        exec.PlanOf(device, p.Pretrain.Batch, p.Pretrain.BnBatch, p.Pretrain.Grain);

    /// <summary>
    /// After the student's values came from outside: the teacher begins as its copy, as it does after the seed's.
    /// </summary>
    public void BeginFromStudent() => teacher?.CopyFrom(Student);

    /// <summary>Gives back the buffers of a step; the trained values stay.</summary>
    public void FreeStep()
    {
        stepArena?.Dispose();
        (stepArena, step) = (null, null);
    }

    public override StepReport Step(long s)
    {
        step ??= new PretrainStep(
            Net,
            weights,
            teacherWeights,
            device,
            pool,
            stepArena = device.NewArena(),
            plan,
            recompute
        );
        var p = protocol.Pretrain;
        long time = PhaseClock.Now;
        weights.Pack(pool);
        teacherWeights?.Pack(pool);
        time = pool.Clock.Add(Phase.Optimizer, 0, time);
        feed.Begin(s, Steps, Digested(s));
        pool.Clock.Add(Phase.Data, 0, time);
        device.BeginStep(Stage);
        var loss = step.Run(feed);
        time = PhaseClock.Now;
        float norm = Optimizer.ClipNorm(pool, step.Gradient, p.ClipGrad > 0 ? p.ClipGrad : null);
        Finite.Check(device, Stage, s, loss.Total, norm, step.Gradient);
        // MAE's schedule takes the epoch at the first micro-step of a group, so the very first step has lr 0 counts
        // micro-steps as the source does: what does not fill a step at an epoch's end is dropped, but was counted
        // (engine_lut.py:45-50)
        int accum = p.Batch / p.BnBatch;
        long perEpoch = Math.Max(views.Images.Count / p.BnBatch, StepsPerEpoch * accum);
        long micro = s / StepsPerEpoch * perEpoch + s % StepsPerEpoch * accum;
        double epoch = (double)micro / perEpoch;
        double lr = Schedules.LearningRate(
            epoch,
            BaseRate(p.Blr, p.LrRule, p.Batch),
            p.MinLr,
            p.WarmupEpochs,
            p.Epochs
        );
        double decay = Schedules.EmaDecay(micro + accum - 1, perEpoch * Epochs, p.Ema);
        Optimizer.Step(pool, step.Gradient, lr, teacher, decay);
        if (teacher is not null)
            TeacherUpdate.Run(device, teacher, Student, decay);
        device.EndStep();
        pool.Clock.Add(Phase.Optimizer, 0, time);
        var ids = order.Of(s);
        var seen = feed.Digests();
        return new StepReport(
            lr,
            loss.Total,
            loss.Mae,
            Net.Options.Context ? loss.Context : null,
            norm,
            Digest.Of(ids),
            feed.WaitNs,
            seen?.Views,
            seen?.Keys
        );
    }

    protected override long? GradientOffset(nint address) => step?.GradientOffset(address);

    public override IEnumerable<(string Name, State State)> States
    {
        get
        {
            yield return ("student", Student);
            yield return ("exp_avg", Optimizer.M);
            yield return ("exp_avg_sq", Optimizer.V);
            if (teacher is not null)
                yield return ("teacher", teacher);
        }
    }

    /// <summary>Weights ready for inference with the trained student.</summary>
    public Weights PackedStudent()
    {
        weights.Pack(pool);
        return weights;
    }

    /// <summary>
    /// The step's gradient in <see cref="Student"/>'s layout, in the device's memory; valid until the next step.
    /// </summary>
    public Gradient Gradient => step is null ? throw new InvalidOperationException("no step has run") : step.Gradient;

    /// <summary>
    /// Makes the sample at a position of step s: views u and v (empty for MAE), normalised planes, and the sort keys of
    /// its mask.
    /// </summary>
    public void Fill(long s, int position, Span<float> u, Span<float> v, Span<ulong> keys)
    {
        int sample = order.Of(s)[position];
        uint epoch = (uint)(s / StepsPerEpoch);
        views.Weak(sample, epoch, 0, u);
        if (!v.IsEmpty)
            views.Strong(sample, epoch, 1, v);
        views.MaskKeys(sample, epoch, keys);
    }

    public override void Dispose()
    {
        feed.Dispose();
        FreeStep();
        base.Dispose();
    }
}

/// <summary>Refuses to go on with numbers that are not finite (NUMERICS rule 11).</summary>
internal static class Finite
{
    internal static void Check(Device device, string stage, long step, float loss, float norm, Gradient gradient)
    {
        if (float.IsFinite(loss) && float.IsFinite(norm))
            return;
        string where = "the loss";
        foreach (var e in gradient.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter))
        {
            var values = new float[e.Count];
            device.Read(values, gradient[e]);
            int i = values.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
            if (i < 0)
                continue;
            where = FormattableString.Invariant($"gradient of {e.Name}[{i / e.Cols}, {i % e.Cols}] = {values[i]}");
            break;
        }
        throw new LutError(
            Exit.Numerics,
            1,
            FormattableString.Invariant($"loss = {loss}, gradient norm = {norm} at step {step} of {stage}"),
            $"step {step}, {where}",
            "a non-finite loss or gradient stops a run, because everything after it would be noise",
            "lower the learning rate or set clip_grad; the last checkpoint is intact"
        );
    }
}
