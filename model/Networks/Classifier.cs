using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

/// <summary>
/// The fine-tuning network: trunk, then either mean of patch tokens and fc_norm (global_pool) or norm of the class
/// token, then a linear head. Position embeddings are trained. Source: MAE models_vit.py; timm 0.4.12 VisionTransformer
/// (order of the state dict included).
/// </summary>
public sealed class Classifier
{
    private readonly Norm norm;
    private readonly Linear head;

    public Classifier(VitShape shape, int classes, bool globalPool, float dropPath)
    {
        Shape = shape;
        Classes = classes;
        GlobalPool = globalPool;
        Encoder = new Encoder(Layout, shape, trainPositions: true, dropPath);
        if (!globalPool)
            norm = new Norm(Layout, "norm", shape.Width, shape.NormEps);
        head = new Linear(Layout, "head", classes, shape.Width);
        norm ??= new Norm(Layout, "fc_norm", shape.Width, shape.NormEps);
    }

    public StateLayout Layout { get; } = new();
    public VitShape Shape { get; }
    public int Classes { get; }
    public bool GlobalPool { get; }
    public Encoder Encoder { get; }

    /// <summary>lr_scale by depth: patch embedding, tokens and positions decay^(L+1), block i decay^(L-i), norm and
    /// head 1; no weight decay for one-dimensional tensors, cls_token and pos_embed. Source: BEiT and MAE
    /// util/lr_decay.py.</summary>
    public Func<Entry, ParameterGroup> Groups(double layerDecay, double weightDecay)
    {
        int layers = Encoder.Depth + 1;
        var scales = new double[layers + 1];
        for (int i = layers; i >= 0; i--)
            scales[i] = i == layers ? 1.0 : scales[i + 1] * layerDecay;
        return e =>
        {
            int layer =
                e.Name is "cls_token" or "pos_embed" || e.Name.StartsWith("patch_embed", StringComparison.Ordinal) ? 0
                : e.Name.StartsWith("blocks.", StringComparison.Ordinal)
                    ? 1 + int.Parse(e.Name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture)
                : layers;
            bool plain = e.Shape.Length == 1 || e.Name is "cls_token" or "pos_embed";
            return new ParameterGroup(scales[layer], plain ? 0.0 : weightDecay);
        };
    }

    /// <summary>Buffers around the trunk for S samples.</summary>
    public sealed class Activations(Arena arena, Classifier net, int sequences, bool training)
    {
        public readonly EncoderActivations Trunk = new(arena, net.Shape, sequences, net.Shape.Grid.Patches, training);
        public readonly Mat Pooled = arena.Matrix(sequences, net.Shape.Width); // [S, D]
        public readonly Mat Normed = arena.Matrix(sequences, net.Shape.Width); // [S, D]
        public readonly Mat Stats = arena.Matrix(sequences, 2);
        public readonly Mat Logits = arena.Matrix(sequences, net.Classes); // [S, classes]
        public readonly Mat DPooled = training ? arena.Matrix(sequences, net.Shape.Width) : default;
        public readonly Mat DTokens = training
            ? arena.Matrix(sequences * (net.Shape.Grid.Patches + 1), net.Shape.Width)
            : default;

        public void AllPatches()
        {
            for (int i = 0; i < Trunk.Index.Length; i++)
                Trunk.Index[i] = i % Trunk.Kept;
        }
    }

    /// <summary>a.Logits from a.Trunk.Images; kept: drop-path flags or null.</summary>
    public void Forward(in Pass p, Activations a, bool[][][]? kept = null)
    {
        Encoder.Forward(p, a.Trunk, kept);
        Mat x = a.Trunk.Output;
        if (GlobalPool)
            Pooling.Forward(p.Device, a.Pooled, x);
        else
            for (int s = 0; s < a.Pooled.Rows; s++)
                p.Device.Copy(a.Pooled.Slice(s, 1), x.Slice(s * (a.Trunk.Kept + 1), 1));
        norm.Forward(p, a.Normed, a.Stats, a.Pooled);
        head.Forward(p, a.Logits, a.Normed);
    }

    /// <summary>From the gradient of the logits, dLogits [S, classes]; parameter gradients continue.</summary>
    public void Backward(in Pass p, BlockGradients g, Mat dLogits, Activations a, bool[][][]? kept = null)
    {
        head.BackwardParameters(p, dLogits, a.Normed);
        head.BackwardInput(p, a.DPooled, dLogits);
        norm.Backward(p, a.DPooled, a.DPooled, a.Pooled, a.Stats, default);
        if (GlobalPool)
            Pooling.Backward(p.Device, a.DTokens, a.DPooled);
        else
        {
            p.Device.Clear(a.DTokens);
            for (int s = 0; s < a.Pooled.Rows; s++)
                p.Device.Copy(a.DTokens.Slice(s * (a.Trunk.Kept + 1), 1), a.DPooled.Slice(s, 1));
        }
        Encoder.Backward(p, g, a.DTokens, a.Trunk, kept);
    }
}

/// <summary>Where a fine-tuning step's samples come from; called from several workers at once.</summary>
public interface ILabelledSource
{
    /// <summary>Fills the (mixed) image and the soft target of a position in the global batch.</summary>
    void Load(int position, Span<float> image, Span<float> target);

    /// <summary>
    /// Uniform draw in [0, 1) of a sample's branch (0 attention, 1 MLP) of a block; kept when keep + draw >= 1.
    /// </summary>
    float DropPathDraw(int position, int block, int branch);
}

/// <summary>One fine-tuning step's gradient: grains forward and backward, T over leaves.</summary>
public sealed class ClassifierStep
{
    private sealed class Worker(Classifier net, Device device, Arena arena, int samples)
    {
        public readonly Classifier.Activations A = new(arena, net, samples, training: true);
        public readonly BlockGradients G = new(
            arena,
            samples * (net.Shape.Grid.Patches + 1),
            net.Shape.Width,
            net.Shape.Hidden
        );
        public readonly Mat Target = arena.Matrix(samples, net.Classes);
        public readonly Mat DLogits = arena.Matrix(samples, net.Classes);
        public readonly HostInput Image = new(device, net.Shape.Grid.ImageFloats);
        public readonly HostInput SoftTarget = new(device, net.Classes);
        public readonly bool[][][] Kept =
        [
            .. Enumerable.Range(0, net.Encoder.Depth).Select(_ => new[] { new bool[samples], new bool[samples] }),
        ];
    }

    private readonly Classifier net;
    private readonly Device device;
    private readonly Pool pool;
    private readonly BatchPlan plan;
    private readonly Worker[] workers;
    private readonly GradientTree tree;
    private readonly LeafGroup leaves;
    private readonly Mat loss;
    private readonly float[] lossRead;

    public ClassifierStep(Classifier net, Weights weights, Device device, Pool pool, Arena arena, BatchPlan plan)
    {
        plan.Check();
        this.net = net;
        Weights = weights;
        this.device = device;
        this.pool = pool;
        this.plan = plan;
        workers = [.. Enumerable.Range(0, pool.Workers).Select(_ => new Worker(net, device, arena, plan.Samples))];
        foreach (var w in workers)
            w.A.AllPatches();
        tree = new GradientTree(device, net.Layout, arena, net.Layout.Matrices);
        leaves = new LeafGroup(device, net.Layout, arena, plan.GrainsAtOnce);
        loss = arena.Matrix(plan.Batch, 1);
        lossRead = new float[plan.Batch];
    }

    public Weights Weights { get; }

    public Gradient Gradient => tree.Root;

    /// <summary>Where in the layout an address in a leaf's or node's gradient is; null for any other.</summary>
    public long? GradientOffset(nint address) => tree.OffsetOf(address);

    /// <summary>Called after a micro-batch with (first position, logits), for tests.</summary>
    public Action<int, Mat>? OnLogits { get; set; }

    /// <summary>Forward and backward; returns the mean loss, T over samples divided by the batch.</summary>
    public float Run(ILabelledSource source)
    {
        tree.Begin(plan.Batch / plan.GroupSamples);
        pool.Run(
            plan.Batch / plan.GroupSamples,
            (Step: this, Source: source),
            static (g, worker, j) => j.Step.Grain(j.Source, g, worker)
        );
        device.Read(lossRead, loss);
        return Tree.Sum(lossRead) / plan.Batch;
    }

    /// <summary>Forward and backward of a group of grains, its leaf (or node) handed to the tree.</summary>
    private void Grain(ILabelledSource source, int g, int worker)
    {
        float scale = (float)(1.0 / plan.Batch);
        var w = workers[worker];
        Gradient leaf = tree.Rent();
        Gradient gradients = leaves.Begin(leaf);
        long time = PhaseClock.Now;
        for (int first = g * plan.GroupSamples; first < (g + 1) * plan.GroupSamples; first += plan.Samples)
        {
            var p = new Pass(device, Weights, gradients, first: first == g * plan.GroupSamples);
            for (int s = 0; s < plan.Samples; s++)
            {
                source.Load(
                    first + s,
                    w.Image.Begin(w.A.Trunk.Images.Slice(s, 1)),
                    w.SoftTarget.Begin(w.Target.Slice(s, 1))
                );
                w.Image.End();
                w.SoftTarget.End();
                for (int b = 0; b < w.Kept.Length; b++)
                for (int branch = 0; branch < 2; branch++)
                    w.Kept[b][branch][s] =
                        net.Encoder.Keep(b) >= 1f
                        || net.Encoder.Keep(b) + source.DropPathDraw(first + s, b, branch) >= 1f;
            }
            time = pool.Clock.Add(Phase.Data, worker, time);
            net.Forward(p, w.A, w.Kept);
            OnLogits?.Invoke(first, w.A.Logits);
            CrossEntropy.Run(device, loss.Slice(first, plan.Samples), w.DLogits, w.A.Logits, w.Target, scale);
            time = pool.Clock.Add(Phase.Forward, worker, time);
            net.Backward(p, w.G, w.DLogits, w.A, w.Kept);
            time = pool.Clock.Add(Phase.Backward, worker, time);
        }
        leaves.Fold(leaf);
        tree.Add(g, leaf);
        pool.Clock.Add(Phase.Reduce, worker, time);
    }
}
