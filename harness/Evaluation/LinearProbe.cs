using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Evaluation;

/// <summary>
/// Logistic regression on frozen features, standardised by the training set's mean and variance (a batch norm without
/// affine parameters, as MAE's probe has): AdamW, cosine rate, batches in Philox order. Reported after the last epoch,
/// never the best.
/// </summary>
public static unsafe class LinearProbe
{
    private const float Eps = 1e-6f;

    public static EvalResult Run(
        ProbeSpec spec,
        long seed,
        Mat train,
        int[] trainLabels,
        Mat test,
        int[] testLabels,
        int classes,
        Device device,
        Pool pool
    )
    {
        using var arena = new Arena();
        int n = train.Rows;
        int d = train.Cols;
        int batch = LinearProbeBuffers.BatchOf(spec, n);
        int perEpoch = n / batch;
        var buffers = new LinearProbeBuffers(spec, n, test.Rows, d, classes, device, arena);
        Mat a = buffers.Train;
        Mat b = buffers.Test;
        Standardise(device, buffers, train, test);
        var (head, weights, gradient) = (buffers.Head, buffers.Weights, buffers.Gradient);
        var (x, logits, target, loss) = (buffers.Batch, buffers.Logits, buffers.Target, buffers.Loss);
        var adam = buffers.Optimizer;
        using var one = new Pool(1);
        long steps = (long)spec.Epochs * perEpoch;
        int[] order = [];
        for (long s = 0; s < steps; s++)
        {
            if (s % perEpoch == 0)
                order = EpochOrder.Draw((ulong)seed, (uint)(s / perEpoch), StageId.Probe.Word, n);
            target.Span.Clear();
            for (int i = 0; i < batch; i++)
            {
                int sample = order[(int)(s % perEpoch) * batch + i];
                a.Slice(sample, 1).Span.CopyTo(x.Slice(i, 1).Span);
                target.Row(i)[trainLabels[sample]] = 1f;
            }
            weights.Pack(one);
            head.Forward(new Pass(device, weights), logits, x);
            CrossEntropy.Run(device, loss, logits, logits, target, (float)(1.0 / batch));
            device.Clear(gradient.Slice(0, (int)gradient.Layout.Length));
            head.BackwardParameters(new Pass(device, weights, gradient, first: true), logits, x);
            adam.Step(one, gradient, Schedules.LearningRate((double)s / perEpoch, spec.Lr, 0.0, 0.0, spec.Epochs));
        }
        weights.Pack(one);
        Mat scores = buffers.Scores;
        head.Forward(new Pass(device, weights), scores, b);
        return Predictions(StageId.Probe.Top1, scores, testLabels);
    }

    internal static EvalResult Predictions(string metric, Mat scores, int[] labels)
    {
        var predicted = new int[scores.Rows];
        var margin = new float[scores.Rows];
        int[]? ranks = scores.Cols >= EvalResult.ClassesForTop5 ? new int[scores.Rows] : null;
        for (int i = 0; i < scores.Rows; i++)
        {
            var row = scores.Slice(i, 1).Span;
            (predicted[i], margin[i]) = Knn.Top(row);
            if (ranks is not null)
                ranks[i] = Rank(row, labels[i]);
        }
        return new EvalResult(metric, predicted, margin, labels, ranks);
    }

    private static int Rank(ReadOnlySpan<float> scores, int label)
    {
        int rank = 0;
        for (int c = 0; c < scores.Length; c++)
            if (scores[c] > scores[label] || (scores[c] == scores[label] && c < label))
                rank++;
        return rank;
    }

    /// <summary>Both sets by the training set's mean and variance.</summary>
    private static void Standardise(Device device, LinearProbeBuffers buffers, Mat train, Mat test)
    {
        Mat a = buffers.Train;
        Mat b = buffers.Test;
        Mat mean = buffers.Mean;
        Mat square = buffers.Square;
        Elementwise.ColumnSum(device, mean, train);
        for (int j = 0; j < mean.Cols; j++)
            mean.Data[j] /= train.Rows;
        for (int i = 0; i < train.Rows; i++)
        for (int j = 0; j < train.Cols; j++)
        {
            float c = train.Row(i)[j] - mean.Data[j];
            a.Row(i)[j] = c;
            square.Data[j] = MathF.FusedMultiplyAdd(c, c, square.Data[j]);
        }
        for (int j = 0; j < mean.Cols; j++)
            square.Data[j] = Model.Numerics.Unary.Rsqrt(square.Data[j] / train.Rows + Eps);
        for (int i = 0; i < train.Rows; i++)
        for (int j = 0; j < train.Cols; j++)
            a.Row(i)[j] *= square.Data[j];
        for (int i = 0; i < test.Rows; i++)
        for (int j = 0; j < test.Cols; j++)
            b.Row(i)[j] = (test.Row(i)[j] - mean.Data[j]) * square.Data[j];
    }
}
