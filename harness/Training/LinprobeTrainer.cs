using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Training;

/// <summary>
/// MAE's linear probe: frozen features of augmented images, batch norm without affine parameters, a linear layer, LARS.
/// Features are made where the network lies, the rest on the host, which is small beside it. Names as in the source,
/// where head = Sequential(BatchNorm1d, Linear). Source: MAE main_linprobe.py, models_vit.py, util/lars.py.
/// </summary>
public sealed class LinprobeTrainer : Trainer
{
    private const float BatchNormEps = 1e-6f;
    private const float Momentum = 0.1f; // main_linprobe.py BatchNorm1d(affine=False, eps=1e-6)

    private readonly ProtocolSpec protocol;
    private readonly LinprobeSpec l;
    private readonly Features features;
    private readonly Device host;
    private readonly Pool pool;
    private readonly Views views;
    private readonly SampleOrder order;
    private readonly Linear head;
    private readonly Entry mean;
    private readonly Entry variance;
    private readonly Weights weights;
    private readonly Lars lars;
    private readonly GradientTree tree;
    private readonly Mat ones;
    private readonly Mat zeros;
    private readonly Mat x;
    private readonly Mat y;
    private readonly Mat stats;
    private readonly Mat logits;
    private readonly Mat target;
    private readonly Mat loss;
    private readonly float[] lossRead;
    private readonly int counter;

    /// <param name="features">Of the pre-trained network.</param>
    /// <param name="host">A device of host memory, with its pool.</param>
    public LinprobeTrainer(ProtocolSpec protocol, Features features, Views views, Device host, Pool pool)
        : base(host)
    {
        this.protocol = protocol;
        l = protocol.Linprobe!;
        this.features = features;
        this.views = views;
        this.host = host;
        this.pool = pool;
        order = new SampleOrder((ulong)protocol.Seed, 4, views.Images.Count, l.Batch);
        int d = protocol.Model.Width;
        int classes = protocol.Data.Classes;
        var layout = new StateLayout();
        mean = layout.Add("head.0.running_mean", [d], EntryKind.Buffer);
        variance = layout.Add("head.0.running_var", [d], EntryKind.Buffer);
        counter = layout.AddCounter("head.0.num_batches_tracked");
        head = new Linear(layout, "head.1", classes, d);
        State = new State(layout, Arena);
        State[variance].Span.Fill(1f);
        var random = new Philox((ulong)protocol.Seed, Purpose.Probe, 0, 0, 0);
        foreach (ref float w in State[head.Weight].Span)
            // main_linprobe.py trunc_normal_(std=0.01), cut at 2, which is 200 deviations
            w = (float)(0.01 * random.NextNormal());
        weights = new Weights(State, host, Arena, backward: false);
        lars = new Lars(host, State, Arena, l.Momentum, l.TrustCoefficient, l.WeightDecay);
        tree = new GradientTree(host, layout, Arena, layout.Matrices);
        ones = Arena.Vector(d);
        zeros = Arena.Vector(d);
        stats = Arena.Matrix(2, d);
        ones.Span.Fill(1f);
        x = Arena.Matrix(l.Batch, d);
        y = Arena.Matrix(l.Batch, d);
        logits = Arena.Matrix(l.Batch, classes);
        target = Arena.Matrix(l.Batch, classes);
        loss = Arena.Matrix(l.Batch, 1);
        lossRead = new float[l.Batch];
    }

    public State State { get; }
    public override string Stage => "linprobe";
    public override AdamWOptimizer? Optimizer => null;
    public override int StepsPerEpoch => views.Images.Count / l.Batch;
    public override int Epochs => l.Epochs;
    public override int Batch => l.Batch;
    public override int DigestEvery => l.DigestEvery;
    public override IEnumerable<(string Name, State State)> States => [("student", State), ("exp_avg", lars.M)];

    public override StepReport Step(long s)
    {
        var ids = order.Of(s).ToArray();
        uint epoch = (uint)(s / StepsPerEpoch);
        features.Encode(x, (i, planes) => views.Probe(ids[i], epoch, 20, l.ScaleMin, planes));
        for (int first = 0; first < l.Batch; first += l.BnBatch)
        {
            BatchNorm.Forward(
                host,
                y.Slice(first, l.BnBatch),
                stats,
                State[mean],
                State[variance],
                x.Slice(first, l.BnBatch),
                ones,
                zeros,
                l.Grain,
                Momentum,
                BatchNormEps
            );
            State.Counters[counter]++;
        }
        weights.Pack(pool);
        tree.Begin(l.Batch / l.Grain);
        pool.Run(l.Batch / l.Grain, (g, _) => Grain(g, ids));
        loss.Span.CopyTo(lossRead);
        float meanLoss = Tree.Sum(lossRead) / l.Batch;
        float norm = GradientNorm();
        Finite.Check(host, Stage, s, meanLoss, norm, tree.Root);
        double lr = Schedules.LearningRate(
            (double)s / StepsPerEpoch,
            BaseRate(l.Blr, l.LrRule, l.Batch),
            l.MinLr,
            l.WarmupEpochs,
            l.Epochs
        );
        lars.Step(tree.Root, lr);
        return new StepReport(lr, meanLoss, null, null, norm, Digest.Of(ids), 0);
    }

    private void Grain(int g, int[] ids)
    {
        Mat xs = y.Slice(g * l.Grain, l.Grain);
        Mat z = logits.Slice(g * l.Grain, l.Grain);
        Mat t = target.Slice(g * l.Grain, l.Grain);
        head.Forward(new Pass(host, weights), z, xs);
        t.Span.Clear();
        for (int i = 0; i < l.Grain; i++)
            t.Slice(i, 1).Span[views.Images.Labels[ids[g * l.Grain + i]]] = 1f;
        CrossEntropy.Run(host, loss.Slice(g * l.Grain, l.Grain), z, z, t, (float)(1.0 / l.Batch));
        Gradient leaf = tree.Rent();
        head.BackwardParameters(new Pass(host, weights, leaf, first: true), z, xs);
        tree.Add(g, leaf);
    }

    private float GradientNorm()
    {
        Mat one = loss.Slice(0, 1); // read already
        float sum = 0f;
        foreach (var e in State.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter))
        {
            Elementwise.SquaredNorm(host, one, tree.Root[e]);
            sum += one.Span[0];
        }
        return MathF.Sqrt(sum);
    }

    /// <summary>Every image of a set, once, by the running statistics.</summary>
    public EvalResult Evaluate(Views test)
    {
        using var arena = new Arena();
        int n = test.Images.Count;
        Mat f = arena.Matrix(n, x.Cols);
        Mat normed = arena.Matrix(n, x.Cols);
        Mat scores = arena.Matrix(n, logits.Cols);
        features.Encode(f, (i, planes) => test.Plain(i, planes));
        BatchNorm.Evaluate(host, normed, f, State[mean], State[variance], ones, zeros, BatchNormEps);
        weights.Pack(pool);
        pool.Run(
            (n + Features.Chunk - 1) / Features.Chunk,
            (chunk, _) =>
            {
                int count = Math.Min(Features.Chunk, n - chunk * Features.Chunk);
                head.Forward(
                    new Pass(host, weights),
                    scores.Slice(chunk * Features.Chunk, count),
                    normed.Slice(chunk * Features.Chunk, count)
                );
            }
        );
        return LinearProbe.Predictions("linprobe_top1", scores, test.Images.Labels);
    }
}
