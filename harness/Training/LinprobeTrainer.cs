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
using LutNative.Results;

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
    private readonly LinprobeValues values;
    private readonly float[] lossRead;

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
        order = new SampleOrder((ulong)protocol.Seed, StageId.Linprobe, views.Images.Count, l.Batch);
        values = new LinprobeValues(l, protocol.Model.Width, protocol.Data.Classes, host, Arena);
        values.Ones.Span.Fill(1f);
        State[values.Variance].Span.Fill(1f);
        var random = new Philox((ulong)protocol.Seed, Purpose.Probe, 0, 0, 0);
        foreach (ref float w in State[values.Head.Weight].Span)
            // main_linprobe.py trunc_normal_(std=0.01), cut at 2, which is 200 deviations
            w = (float)(0.01 * random.NextNormal());
        lossRead = new float[l.Batch];
    }

    public State State => values.State;
    public override StageId Id => StageId.Linprobe;
    public override AdamWOptimizer? Optimizer => null;
    public override int StepsPerEpoch => views.Images.Count / l.Batch;
    public override int Epochs => l.Epochs;
    public override int Batch => l.Batch;
    public override int DigestEvery => l.DigestEvery;
    public override IEnumerable<(string Name, State State)> States =>
        [("student", State), ("exp_avg", values.Optimizer.M)];

    public override StepReport Step(long s)
    {
        var ids = order.Of(s).ToArray();
        uint epoch = (uint)(s / StepsPerEpoch);
        features.Encode(
            values.Features,
            (i, planes) => views.Probe(ids[i], epoch, ViewNumber.Linprobe, l.ScaleMin, planes)
        );
        for (int first = 0; first < l.Batch; first += l.BnBatch)
        {
            BatchNorm.Forward(
                host,
                values.Normed.Slice(first, l.BnBatch),
                values.Stats,
                State[values.Mean],
                State[values.Variance],
                values.Features.Slice(first, l.BnBatch),
                values.Ones,
                values.Zeros,
                l.Grain,
                Momentum,
                BatchNormEps
            );
            State.Counters[values.Counter]++;
        }
        values.Weights.Pack(pool);
        values.Tree.Begin(l.Batch / l.Grain);
        pool.Run(l.Batch / l.Grain, (g, _) => Grain(g, ids));
        values.Loss.Span.CopyTo(lossRead);
        float meanLoss = Tree.Sum(lossRead) / l.Batch;
        float norm = GradientNorm();
        Finite.Check(host, Stage, s, meanLoss, norm, values.Tree.Root);
        double lr = Schedules.LearningRate(
            (double)s / StepsPerEpoch,
            BaseRate(l.Blr, l.LrRule, l.Batch),
            l.MinLr,
            l.WarmupEpochs,
            l.Epochs
        );
        values.Optimizer.Step(values.Tree.Root, lr);
        return new StepReport(lr, meanLoss, null, null, norm, Digest.Of(ids), 0);
    }

    private void Grain(int g, int[] ids)
    {
        Mat xs = values.Normed.Slice(g * l.Grain, l.Grain);
        Mat z = values.Logits.Slice(g * l.Grain, l.Grain);
        Mat t = values.Target.Slice(g * l.Grain, l.Grain);
        values.Head.Forward(new Pass(host, values.Weights), z, xs);
        t.Span.Clear();
        for (int i = 0; i < l.Grain; i++)
            t.Slice(i, 1).Span[views.Images.Labels[ids[g * l.Grain + i]]] = 1f;
        CrossEntropy.Run(host, values.Loss.Slice(g * l.Grain, l.Grain), z, z, t, (float)(1.0 / l.Batch));
        Gradient leaf = values.Tree.Rent();
        values.Head.BackwardParameters(new Pass(host, values.Weights, leaf, first: true), z, xs);
        values.Tree.Add(g, leaf);
    }

    private float GradientNorm()
    {
        Mat one = values.Loss.Slice(0, 1); // read already
        float sum = 0f;
        foreach (var e in State.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter))
        {
            Elementwise.SquaredNorm(host, one, values.Tree.Root[e]);
            sum += one.Span[0];
        }
        return MathF.Sqrt(sum);
    }

    /// <summary>Every image of a set, once, by the running statistics.</summary>
    public EvalResult Evaluate(Views test)
    {
        using var arena = new Arena();
        int n = test.Images.Count;
        var buffers = new LinprobeScores(n, values.Features.Cols, values.Logits.Cols, arena);
        Mat normed = buffers.Normed;
        Mat scores = buffers.Logits;
        features.Encode(buffers.Features, (i, planes) => test.Plain(i, planes));
        BatchNorm.Evaluate(
            host,
            normed,
            buffers.Features,
            State[values.Mean],
            State[values.Variance],
            values.Ones,
            values.Zeros,
            BatchNormEps
        );
        values.Weights.Pack(pool);
        pool.Run(
            (n + Features.Chunk - 1) / Features.Chunk,
            (chunk, _) =>
            {
                int count = Math.Min(Features.Chunk, n - chunk * Features.Chunk);
                values.Head.Forward(
                    new Pass(host, values.Weights),
                    scores.Slice(chunk * Features.Chunk, count),
                    normed.Slice(chunk * Features.Chunk, count)
                );
            }
        );
        return LinearProbe.Predictions(Id.Top1, scores, test.Images.Labels);
    }
}
