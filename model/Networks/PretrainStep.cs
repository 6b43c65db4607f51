using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

/// <summary>
/// One optimiser step's gradient. For each BN batch: (1) <see cref="ForwardPhase"/>: every grain runs student, decoder
/// and teacher forward; (2) <see cref="ContextPhase"/>: heads, batch norm and the context loss over the whole BN batch;
/// (3) <see cref="BackwardPhase"/>: every grain runs backward into a leaf gradient; T sums the leaves. Inside a grain
/// the chains run over view u's samples, then view v's. Grains go to workers in any order; nothing depends on it.
/// </summary>
public sealed class PretrainStep
{
    private readonly Lut net;
    private readonly Pool pool;
    private readonly BatchPlan plan;
    private readonly bool recompute;
    private readonly PretrainBuffers buffers;
    private readonly GradientTree tree;
    private readonly ForwardPhase forward;
    private readonly ContextPhase? context;
    private readonly BackwardPhase backward;

    /// <param name="teacher">Null for MAE.</param>
    /// <param name="arena">Of the device; takes every buffer but the gradients, which come with the first step.</param>
    /// <param name="recompute">Run the student's forward pass again for backward, and keep less.</param>
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
        this.pool = pool;
        this.plan = plan;
        this.recompute = recompute && net.Options.Context;
        Student = student;
        Teacher = teacher;
        Mask = new MaskPlan(net.Mae.Shape.Grid.Patches, net.Options.MaskRatio);
        bool waits = net.Options.Context && !recompute; // activations, for the context phase
        int places = waits ? plan.Groups : pool.Workers;
        buffers = new PretrainBuffers(net, device, arena, plan, Mask, pool.Workers, places);
        tree = new GradientTree(device, net.Layout, arena, net.Layout.Matrices);
        var leaves = new LeafGroup(device, net.Layout, arena, plan.GrainsAtOnce);
        var parts = new PretrainParts(net, student, teacher, device, pool, plan, Mask, buffers);
        forward = new ForwardPhase(parts);
        backward = new BackwardPhase(parts, tree, leaves);
        if (buffers.Context is { } heads)
            context = new ContextPhase(parts, heads);
    }

    public Weights Student { get; }
    public Weights? Teacher { get; }
    public MaskPlan Mask { get; }

    /// <summary>The step's gradient, in the student's layout; valid until the next <see cref="Run"/>.</summary>
    public Gradient Gradient => tree.Root;

    /// <summary>Where in the layout an address in a leaf's or node's gradient is; null for any other.</summary>
    public long? GradientOffset(nint address) => tree.OffsetOf(address);

    /// <summary>
    /// Called in the context phase of every BN batch with (index, predictions of view u and v, the teacher's targets of
    /// view u and v, each [B, D]), for tests. Never called for MAE.
    /// </summary>
    public Action<int, Mat, Mat, Mat, Mat>? OnContext
    {
        get => context?.OnContext;
        set
        {
            if (context is not null)
                context.OnContext = value;
        }
    }

    /// <summary>
    /// Called after a micro-batch's decoder with (first position in the global batch, predictions [S*(P+1), C*p*p]),
    /// for tests and pictures.
    /// </summary>
    public Action<int, Mat>? OnPrediction
    {
        get => forward.OnPrediction;
        set => forward.OnPrediction = value;
    }

    /// <summary>Runs forward and backward for a global batch; weights must be packed.</summary>
    public PretrainLoss Run(ISampleSource source)
    {
        tree.Begin(plan.Leaves);
        Tree mae = default;
        Tree bc = default;
        Tree total = default;
        for (int b = 0; b < plan.Accum; b++)
        {
            float contextLoss = context is null ? ReconstructionOnly(source, b) : WithContext(context, source, b);
            float reconstruction = forward.MeanReconstructionLoss();
            mae.Add(reconstruction);
            bc.Add(contextLoss);
            total.Add((float)net.Options.WMae * reconstruction + (float)net.Options.WBc * contextLoss);
        }
        return new PretrainLoss(total.Root() / plan.Accum, mae.Root() / plan.Accum, bc.Root() / plan.Accum);
    }

    /// <summary>A BN batch of MAE: nothing couples its samples, so a group goes forward and back at once.</summary>
    private float ReconstructionOnly(ISampleSource source, int bnBatch)
    {
        pool.Run(
            plan.Groups,
            (Step: this, Source: source, BnBatch: bnBatch),
            static (g, worker, j) =>
            {
                MicroBatch[] kept = j.Step.buffers.Kept[worker];
                j.Step.forward.Run(j.Source, j.BnBatch, g, kept, worker);
                j.Step.backward.Run(j.BnBatch, g, kept, worker);
            }
        );
        return 0f;
    }

    /// <summary>A BN batch of LUT; returns its context loss.</summary>
    private float WithContext(ContextPhase heads, ISampleSource source, int bnBatch)
    {
        var job = (Step: this, Source: source, BnBatch: bnBatch);
        pool.Run(
            plan.Groups,
            job,
            static (g, worker, j) => j.Step.forward.Run(j.Source, j.BnBatch, g, j.Step.Kept(g, worker), worker)
        );
        long before = PhaseClock.Now;
        float loss = heads.Run(bnBatch);
        pool.Clock.Add(Phase.Heads, 0, before);
        pool.Run(
            plan.Groups,
            job,
            static (g, worker, j) =>
            {
                MicroBatch[] kept = j.Step.Kept(g, worker);
                if (j.Step.recompute)
                    j.Step.forward.Run(j.Source, j.BnBatch, g, kept, worker, studentOnly: true);
                j.Step.backward.Run(j.BnBatch, g, kept, worker);
            }
        );
        return loss;
    }

    /// <summary>Where group g keeps its activations until backward.</summary>
    private MicroBatch[] Kept(int g, int worker) => buffers.Kept[recompute ? worker : g];
}
