using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

/// <summary>
/// How a global batch is cut. Grain and BnBatch are part of the protocol; MicroBatch only decides memory and never
/// changes a bit.
/// </summary>
/// <param name="Batch">Samples of one optimiser step: a whole number of BN batches.</param>
/// <param name="BnBatch">Samples that share batch-norm statistics and loss averages: a multiple of Grain.</param>
/// <param name="Grain">Samples whose gradient is one chain; divides BnBatch.</param>
/// <param name="MicroBatch">Samples of a grain that run through the network at once; divides Grain.</param>
/// <param name="GrainsAtOnce">
/// Whole grains that run at once, a power of two that divides the BN batch's grains: for devices that want large
/// launches.
/// </param>
public sealed record BatchPlan(int Batch, int BnBatch, int Grain, int MicroBatch, int GrainsAtOnce = 1)
{
    public int Accum => Batch / BnBatch;
    public int GrainsPerBnBatch => BnBatch / Grain;
    public int MicrosPerGrain => Grain / MicroBatch;

    /// <summary>
    /// Groups of grains that run at once, in a BN batch; samples of a group, and of one pass through the network.
    /// </summary>
    public int Groups => GrainsPerBnBatch / GrainsAtOnce;
    public int GroupSamples => Grain * GrainsAtOnce;
    public int Samples => MicroBatch * GrainsAtOnce;

    public void Check()
    {
        if (
            Batch <= 0
            || Grain <= 0
            || MicroBatch <= 0
            || BnBatch <= 0
            || Batch % BnBatch != 0
            || BnBatch % Grain != 0
            || Grain % MicroBatch != 0
        )
            throw new ShapeException(
                $"batch {Batch}, bn_batch {BnBatch}, grain {Grain}, micro_batch {MicroBatch}: each must be a positive multiple of the next"
            );
        if (
            !System.Numerics.BitOperations.IsPow2(GrainsAtOnce)
            || GrainsPerBnBatch % GrainsAtOnce != 0
            || (GrainsAtOnce > 1 && MicroBatch != Grain)
        )
            throw new ShapeException(
                $"{GrainsAtOnce} grains at once: a power of two that divides {GrainsPerBnBatch}, of whole grains"
            );
    }
}

/// <summary>
/// Where a step's samples come from: position is the place in the global batch. Called from several workers at once.
/// </summary>
public interface ISampleSource
{
    /// <summary>
    /// Fills the first view and the second (empty for MAE), each C*H*W normalised floats, and one sort key a patch, (noise &lt;&lt; 32
    /// | patch).
    /// </summary>
    void Load(int position, Span<float> first, Span<float> second, Span<ulong> keys);
}

/// <summary>Losses of one step, means over its BN batches.</summary>
public readonly record struct PretrainLoss(float Total, float Mae, float Context);

/// <summary>
/// One optimiser step's gradient (DESIGN: "How a step works"). For each BN batch: (1) every grain runs student, decoder
/// and teacher forward; (2) heads, batch norm and the context loss over the whole BN batch; (3) every grain runs
/// backward into a leaf gradient; T sums the leaves. Inside a grain the chains run over view u's samples, then view
/// v's. Grains go to workers in any order; nothing depends on it.
/// </summary>
public sealed class PretrainStep
{
    private sealed class Slot(Lut net, Arena arena, BatchPlan plan, MaskPlan mask)
    {
        public readonly EncoderActivations[] U = Each(
            plan,
            () => new EncoderActivations(arena, net.Mae.Shape, plan.Samples, mask.Kept, true)
        );
        public readonly EncoderActivations[] V = Each(
            plan,
            () =>
                net.Options.Context
                    ? new EncoderActivations(arena, net.Mae.Shape, plan.Samples, mask.KeptOther, true)
                    : null!
        );
        public readonly DecoderActivations[] D = Each(
            plan,
            () => new DecoderActivations(arena, net.Mae.Shape, net.Mae.DecoderShape, plan.Samples, mask.Kept)
        );
        public readonly Mat[] NormedV = Each(
            plan,
            () => net.Options.Context ? arena.Matrix(plan.Samples * (mask.KeptOther + 1), net.Mae.Shape.Width) : default
        );
        public readonly Mat[] StatsV = Each(
            plan,
            () => net.Options.Context ? arena.Matrix(plan.Samples * (mask.KeptOther + 1), 2) : default
        );

        private static T[] Each<T>(BatchPlan plan, Func<T> make) =>
            [.. Enumerable.Range(0, plan.MicrosPerGrain).Select(_ => make())];
    }

    private sealed class Worker(Lut net, Device device, Arena arena, BatchPlan plan, MaskPlan mask)
    {
        private readonly VitShape v = net.Mae.Shape;
        public readonly BlockGradients U = new(
            arena,
            plan.Samples * (mask.Kept + 1),
            net.Mae.Shape.Width,
            net.Mae.Shape.Hidden
        );
        public readonly BlockGradients V = new(
            arena,
            plan.Samples * (mask.KeptOther + 1),
            net.Mae.Shape.Width,
            net.Mae.Shape.Hidden
        );
        public readonly Mat DNormedU = arena.Matrix(plan.Samples * (mask.Kept + 1), net.Mae.Shape.Width);
        public readonly Mat DPooledU = arena.Matrix(plan.Samples * (mask.Kept + 1), net.Mae.Shape.Width);
        public readonly Mat DNormedV = arena.Matrix(plan.Samples * (mask.KeptOther + 1), net.Mae.Shape.Width);
        public readonly BlockGradients Decoder = new(
            arena,
            plan.Samples * (net.Mae.Shape.Grid.Patches + 1),
            net.Mae.DecoderShape.Width,
            (int)(net.Mae.DecoderShape.Width * net.Mae.DecoderShape.MlpRatio)
        );
        public readonly Mat DTokens = arena.Matrix(
            plan.Samples * (net.Mae.Shape.Grid.Patches + 1),
            net.Mae.DecoderShape.Width
        );
        public readonly ulong[] Keys = new ulong[net.Mae.Shape.Grid.Patches];
        public readonly HostInput ImagesU = new(device, net.Mae.Shape.Grid.ImageFloats);
        public readonly HostInput ImagesV = new(device, net.Mae.Shape.Grid.ImageFloats);
        public EncoderActivations? Teacher;
        public Mat TeacherNormed;
        public Mat TeacherStats;

        public void AddTeacher()
        {
            Teacher = new EncoderActivations(arena, v, plan.Samples, v.Grid.Patches, training: false);
            for (int i = 0; i < Teacher.Index.Length; i++)
                Teacher.Index[i] = i % v.Grid.Patches;
            TeacherNormed = arena.Matrix(plan.Samples * (v.Grid.Patches + 1), v.Width);
            TeacherStats = arena.Matrix(plan.Samples * (v.Grid.Patches + 1), 2);
        }
    }

    private readonly Lut net;
    private readonly Device device;
    private readonly Pool pool;
    private readonly BatchPlan plan;
    private readonly Slot[] slots;
    private readonly Worker[] workers;
    private readonly GradientTree tree;
    private readonly LeafGroup leaves;
    private readonly Mat patchLoss;
    private readonly bool[] masked;
    private readonly float[] patchLossRead;
    private readonly float[] contextLossRead;
    private readonly Mat pooledU;
    private readonly Mat pooledV;
    private readonly Mat dPooledU;
    private readonly Mat dPooledV;
    private readonly Mat teacherU;
    private readonly Mat teacherV;
    private readonly Mat contextLoss;
    private readonly HeadActivations? projectorU;
    private readonly HeadActivations? projectorV;
    private readonly HeadActivations? predictorU;
    private readonly HeadActivations? predictorV;
    private readonly HeadActivations? headU;
    private readonly HeadActivations? headV;
    private readonly bool recompute;

    public PretrainStep(
        Lut net,
        Weights student,
        Weights? teacher,
        Device device,
        Pool pool,
        Arena arena,
        BatchPlan plan,
        bool recompute = false
    )
    {
        plan.Check();
        this.net = net;
        this.device = device;
        this.pool = pool;
        this.plan = plan;
        this.recompute = recompute && net.Options.Context;
        Student = student;
        Teacher = teacher;
        Mask = new MaskPlan(net.Mae.Shape.Grid.Patches, net.Options.MaskRatio);
        bool perWorker = !net.Options.Context || recompute;
        slots =
        [
            .. Enumerable
                .Range(0, perWorker ? pool.Workers : plan.Groups)
                .Select(_ => new Slot(net, arena, plan, Mask)),
        ];
        workers = [.. Enumerable.Range(0, pool.Workers).Select(_ => new Worker(net, device, arena, plan, Mask))];
        tree = new GradientTree(device, net.Layout, arena, net.Layout.Matrices);
        leaves = new LeafGroup(device, net.Layout, arena, plan.GrainsAtOnce);
        int b = plan.BnBatch;
        int d = net.Mae.Shape.Width;
        patchLoss = arena.Matrix(b, net.Mae.Shape.Grid.Patches);
        masked = new bool[b * net.Mae.Shape.Grid.Patches];
        patchLossRead = new float[patchLoss.Count];
        contextLossRead = new float[b];
        if (!net.Options.Context)
            return;
        foreach (var w in workers)
            w.AddTeacher();
        pooledU = arena.Matrix(b, d);
        pooledV = arena.Matrix(b, d);
        dPooledU = arena.Matrix(b, d);
        dPooledV = arena.Matrix(b, d);
        teacherU = arena.Matrix(b, d);
        teacherV = arena.Matrix(b, d);
        contextLoss = arena.Matrix(b, 1);
        HeadActivations Head(MlpHead h) => new(arena, h, b, plan.Grain);
        projectorU = Head(net.Projector!);
        projectorV = Head(net.Projector!);
        headU = Head(net.Projector!);
        headV = Head(net.Projector!);
        predictorU = Head(net.Predictor!);
        predictorV = Head(net.Predictor!);
    }

    public Weights Student { get; }
    public Weights? Teacher { get; }
    public MaskPlan Mask { get; }

    /// <summary>The step's gradient, in the student's layout; valid until the next <see cref="Run"/>.</summary>
    public Gradient Gradient => tree.Root;

    /// <summary>Where in the layout an address in a leaf's or node's gradient is; null for any other.</summary>
    public long? GradientOffset(nint address) => tree.OffsetOf(address);

    /// <summary>
    /// Called after phase 2 of every BN batch with (index, predictions u and v, teacher targets u and v), for tests.
    /// </summary>
    public Action<int, Mat, Mat, Mat, Mat>? OnContext { get; set; }

    /// <summary>
    /// Called after a micro-batch's decoder with (first position in the global batch, predictions [S*(P+1), C*p*p]),
    /// for tests and pictures.
    /// </summary>
    public Action<int, Mat>? OnPrediction { get; set; }

    /// <summary>Runs forward and backward for a global batch; weights must be packed.</summary>
    public PretrainLoss Run(ISampleSource source)
    {
        tree.Begin(plan.Batch / plan.GroupSamples);
        Tree mae = default;
        Tree context = default;
        Tree total = default;
        for (int b = 0; b < plan.Accum; b++)
        {
            float bc = 0f;
            var job = (Step: this, Source: source, Batch: b);
            if (!net.Options.Context)
                pool.Run(
                    plan.Groups,
                    job,
                    static (g, w, j) =>
                    {
                        j.Step.Forward(j.Source, j.Batch, g, j.Step.slots[w], w);
                        j.Step.Backward(j.Batch, g, j.Step.slots[w], w);
                    }
                );
            else
            {
                pool.Run(
                    plan.Groups,
                    job,
                    static (g, w, j) => j.Step.Forward(j.Source, j.Batch, g, j.Step.slots[j.Step.recompute ? w : g], w)
                );
                long before = PhaseClock.Now;
                bc = Context(b);
                pool.Clock.Add(Phase.Heads, 0, before);
                pool.Run(
                    plan.Groups,
                    job,
                    static (g, w, j) =>
                    {
                        if (j.Step.recompute)
                            j.Step.Forward(j.Source, j.Batch, g, j.Step.slots[w], w, studentOnly: true);
                        j.Step.Backward(j.Batch, g, j.Step.slots[j.Step.recompute ? w : g], w);
                    }
                );
            }
            float pixels = MaskedMean();
            mae.Add(pixels);
            context.Add(bc);
            total.Add((float)net.Options.WMae * pixels + (float)net.Options.WBc * bc);
        }
        return new PretrainLoss(total.Root() / plan.Accum, mae.Root() / plan.Accum, context.Root() / plan.Accum);
    }

    private int MaskedCount => plan.BnBatch * (net.Mae.Shape.Grid.Patches - Mask.Kept);

    /// <summary>Phase 1 of grain g of a BN batch.</summary>
    private void Forward(ISampleSource source, int batch, int g, Slot slot, int worker, bool studentOnly = false)
    {
        Worker w = workers[worker];
        long time = PhaseClock.Now;
        var p = new Pass(device, Student);
        int patches = net.Mae.Shape.Grid.Patches;
        float scale = (float)(
            2.0 * net.Options.WMae / ((double)net.Mae.Shape.Grid.PatchFloats * MaskedCount * plan.Accum)
        );
        for (int m = 0; m < plan.MicrosPerGrain; m++)
        {
            var (u, v, d) = (slot.U[m], slot.V[m], slot.D[m]);
            int first = g * plan.GroupSamples + m * plan.Samples; // in the BN batch
            for (int s = 0; s < plan.Samples; s++)
            {
                source.Load(
                    batch * plan.BnBatch + first + s,
                    w.ImagesU.Begin(u.Images.Slice(s, 1)),
                    v is null ? default : w.ImagesV.Begin(v.Images.Slice(s, 1)),
                    w.Keys
                );
                w.ImagesU.End();
                w.ImagesV.End();
                Mask.Draw(
                    w.Keys,
                    u.Index.AsSpan(s * Mask.Kept, Mask.Kept),
                    v is null ? default : v.Index.AsSpan(s * Mask.KeptOther, Mask.KeptOther),
                    d.Restore.AsSpan(s * patches, patches)
                );
            }
            time = pool.Clock.Add(Phase.Data, worker, time);
            net.Mae.Encode(p, d.Normed, d.Stats, u);
            net.Mae.Decode(p, d, Mask.Kept);
            Patchify.Target(device, d.Target, u.Images, net.Mae.Shape.Grid);
            if (net.Options.NormPixLoss)
                PatchTarget.Normalise(device, d.Target);
            PatchTarget.Loss(
                device,
                patchLoss.Slice(first, plan.Samples),
                d.DPred,
                d.Pred,
                d.Target,
                d.Restore,
                Mask.Kept,
                scale
            );
            for (int i = 0; i < d.Restore.Length; i++)
                masked[first * patches + i] = d.Restore[i] >= Mask.Kept;
            OnPrediction?.Invoke(batch * plan.BnBatch + first, d.Pred);
            if (v is not null)
                Other(p, slot, w, m, first, studentOnly);
            time = pool.Clock.Add(Phase.Forward, worker, time);
        }
    }

    /// <summary>
    /// View v of a micro-batch and, unless activations are only recomputed, the teacher on both views.
    /// </summary>
    private void Other(in Pass p, Slot slot, Worker w, int m, int first, bool studentOnly)
    {
        var (u, v, d) = (slot.U[m], slot.V[m], slot.D[m]);
        net.Mae.Encode(p, slot.NormedV[m], slot.StatsV[m], v);
        if (studentOnly)
            return;
        Pooling.Forward(device, pooledU.Slice(first, plan.Samples), d.Normed);
        Pooling.Forward(device, pooledV.Slice(first, plan.Samples), slot.NormedV[m]);
        Teach(w, teacherU.Slice(first, plan.Samples), u.Images);
        Teach(w, teacherV.Slice(first, plan.Samples), v.Images);
    }

    /// <summary>The teacher sees every patch; its pooled tokens go through its projector in phase 2.</summary>
    private void Teach(Worker w, Mat pooled, Mat images)
    {
        var p = new Pass(device, Teacher!);
        device.Copy(w.Teacher!.Images, images);
        net.Mae.Encode(p, w.TeacherNormed, w.TeacherStats, w.Teacher);
        Pooling.Forward(device, pooled, w.TeacherNormed);
    }

    /// <summary>Phase 2: heads over the BN batch, view u then view v; returns L_BC.</summary>
    private float Context(int batch)
    {
        Pass student = new(device, Student);
        Pass teacher = new(device, Teacher!);
        int grain = plan.Grain;
        MlpHead projector = net.Projector!;
        MlpHead predictor = net.Predictor!;
        projector.Forward(pool, student, projectorU!, pooledU, grain, training: true);
        predictor.Forward(pool, student, predictorU!, projectorU!.Output, grain, training: true);
        projector.Forward(pool, student, projectorV!, pooledV, grain, training: true);
        predictor.Forward(pool, student, predictorV!, projectorV!.Output, grain, training: true);
        projector.Forward(pool, teacher, headU!, teacherU, grain, training: false);
        projector.Forward(pool, teacher, headV!, teacherV, grain, training: false);
        Mat qu = predictorU!.Output;
        Mat qv = predictorV!.Output;
        Mat tu = headU!.Output;
        Mat tv = headV!.Output;
        OnContext?.Invoke(batch, qu, qv, tu, tv);
        // D(q_v, t_u) + D(q_u, t_v), halved; each direction a mean over the BN batch
        float k = (float)(-2.0 * 0.5 * net.Options.WBc / ((double)plan.BnBatch * plan.Accum));
        ContextLoss.Run(device, contextLoss, dPooledV, qv, tu, k);
        float vu = Mean(contextLoss);
        ContextLoss.Run(device, contextLoss, dPooledU, qu, tv, k);
        float uv = Mean(contextLoss);
        predictor.Backward(pool, student, predictorV, dPooledV, dPooledV, grain);
        projector.Backward(pool, student, projectorV, dPooledV, dPooledV, grain);
        predictor.Backward(pool, student, predictorU, dPooledU, dPooledU, grain);
        projector.Backward(pool, student, projectorU, dPooledU, dPooledU, grain);
        return 0.5f * (vu + uv);
    }

    /// <summary>T over a BN batch's samples, divided by their number.</summary>
    private float Mean(Mat loss)
    {
        device.Read(contextLossRead, loss);
        return Tree.Sum(contextLossRead) / plan.BnBatch;
    }

    /// <summary>Phase 3 of grain g: its leaf gradient, view u then view v.</summary>
    private void Backward(int batch, int g, Slot slot, int worker)
    {
        Worker w = workers[worker];
        long time = PhaseClock.Now;
        Gradient leaf = tree.Rent();
        Gradient gradients = leaves.Begin(leaf);
        // view u comes first and reaches every weight: its contribution overwrites
        Pass first = new(device, Student, gradients, first: true);
        Pass p = new(device, Student, gradients, first: false);
        if (net.Options.Context)
        {
            net.Predictor!.LeafGradients(first, predictorU!, g, plan.Grain);
            net.Projector!.LeafGradients(first, projectorU!, g, plan.Grain);
            net.Predictor.LeafGradients(p, predictorV!, g, plan.Grain);
            net.Projector.LeafGradients(p, projectorV!, g, plan.Grain);
        }
        for (int m = 0; m < plan.MicrosPerGrain; m++)
        {
            net.Mae.DecodeBackward(m == 0 ? first : p, w.Decoder, w.DNormedU, w.DTokens, slot.D[m], Mask.Kept);
            if (net.Options.Context)
            {
                Pooling.Backward(
                    device,
                    w.DPooledU,
                    dPooledU.Slice(g * plan.GroupSamples + m * plan.Samples, plan.Samples)
                );
                Elementwise.Add(device, w.DNormedU, w.DNormedU, w.DPooledU);
            }
            net.Mae.EncodeBackward(m == 0 ? first : p, w.U, w.DNormedU, slot.D[m].Stats, slot.U[m]);
        }
        for (int m = 0; m < plan.MicrosPerGrain && net.Options.Context; m++)
        {
            Pooling.Backward(
                device,
                w.DNormedV,
                dPooledV.Slice(g * plan.GroupSamples + m * plan.Samples, plan.Samples)
            );
            net.Mae.EncodeBackward(p, w.V, w.DNormedV, slot.StatsV[m], slot.V[m]);
        }
        time = pool.Clock.Add(Phase.Backward, worker, time);
        leaves.Fold(leaf);
        tree.Add(batch * plan.Groups + g, leaf);
        pool.Clock.Add(Phase.Reduce, worker, time);
    }

    /// <summary>T over masked patches in (sample, patch) order, divided by their count.</summary>
    private float MaskedMean()
    {
        device.Read(patchLossRead, patchLoss);
        Tree sum = default;
        for (int i = 0; i < masked.Length; i++)
            if (masked[i])
                sum.Add(patchLossRead[i]);
        return sum.Root() / MaskedCount;
    }
}
