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

    public PretrainTrainer(
        ProtocolSpec protocol,
        Views views,
        Device device,
        Pool pool,
        ExecOptions exec,
        BenchOptions? bench = null
    )
        : base(device)
    {
        this.protocol = protocol;
        this.views = views;
        this.device = device;
        this.pool = pool;
        var p = protocol.Pretrain;
        Samples = new PretrainSamples(protocol, views);
        Net = NetworkFactory.PretrainingOf(protocol);
        var values = new PretrainValues(p, Net, device, Arena);
        Student = values.Student;
        weights = values.Weights;
        teacher = values.Teacher;
        teacherWeights = values.TeacherWeights;
        Optimizer = values.Optimizer;
        Initializer.Fill(Student, (ulong)protocol.Seed);
        teacher?.CopyFrom(Student);
        plan = PlanOf(protocol, device, exec);
        recompute = exec.Recompute;
        var grid = Net.Mae.Shape.Grid;
        feed = new BatchFeed(
            p.Batch,
            grid.ImageFloats,
            Net.Options.Context ? grid.ImageFloats : 0,
            grid.Patches,
            exec.DataWorkers,
            (bench ?? BenchOptions.None).FrozenData,
            Samples.Fill
        );
    }

    public Lut Net { get; }
    public State Student { get; }
    public PretrainSamples Samples { get; }
    public override StageId Id => StageId.Pretrain;
    public override AdamWOptimizer Optimizer { get; }
    public override int StepsPerEpoch => views.Images.Count / protocol.Pretrain.Batch;
    public override int Epochs => protocol.Pretrain.Epochs;
    public override int Batch => protocol.Pretrain.Batch;
    public override int DigestEvery => protocol.Pretrain.DigestEvery;

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
        var ids = Samples.Of(s);
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

    /// <summary>Bytes that a step's buffers took so far, its gradients with the first step.</summary>
    internal long StepBytes => stepArena?.Bytes ?? 0;

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

    public override void Dispose()
    {
        feed.Dispose();
        FreeStep();
        base.Dispose();
    }
}
