using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

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
