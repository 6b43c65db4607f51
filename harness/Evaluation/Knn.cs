using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Evaluation;

/// <summary>
/// Weighted k-nearest neighbours: cosine similarity, the k most similar training images (ties: the lower index first),
/// each voting cr_exp(similarity/temperature); the class with the largest sum wins (ties: the lower class). Source: Wu
/// et al. 2018, as used by DINO eval_knn.py.
/// </summary>
public static unsafe class Knn
{
    internal const int Chunk = 100;

    public static EvalResult Run(
        KnnSpec spec,
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
        var buffers = new KnnBuffers(train.Rows, test.Rows, train.Cols, device, pool.Workers, arena);
        Mat a = buffers.Train;
        Mat b = buffers.Test;
        Weight weight = buffers.Weight;
        Unit(a, buffers.TrainSquares, train, device, pool);
        Unit(b, buffers.TestSquares, test, device, pool);
        weight.PackForward(device);
        var predicted = new int[b.Rows];
        var margin = new float[b.Rows];
        pool.Run(
            (b.Rows + Chunk - 1) / Chunk,
            (chunk, w) =>
            {
                int count = Math.Min(Chunk, b.Rows - chunk * Chunk);
                Mat s = buffers.Similarity[w].Slice(0, count);
                Gemm.Nt(device, s, b.Slice(chunk * Chunk, count), weight, Epilogue.None);
                Span<ulong> best = stackalloc ulong[spec.K];
                Span<float> votes = stackalloc float[classes];
                for (int i = 0; i < count; i++)
                {
                    int found = Largest(s.Slice(i, 1).Span, best);
                    votes.Clear();
                    for (int k = 0; k < found; k++)
                    {
                        int neighbour = (int)(uint)~best[k];
                        votes[trainLabels[neighbour]] += Unary.Exp(s.Row(i)[neighbour] / (float)spec.Temperature);
                    }
                    (predicted[chunk * Chunk + i], margin[chunk * Chunk + i]) = Top(votes);
                }
            }
        );
        return new EvalResult(StageId.Knn.Top1, predicted, margin, testLabels);
    }

    /// <summary>The index of the largest value (the lower index on ties) and its lead over the second.</summary>
    internal static (int Index, float Margin) Top(ReadOnlySpan<float> x)
    {
        int first = 0;
        for (int c = 1; c < x.Length; c++)
            if (x[c] > x[first])
                first = c;
        float second = float.NegativeInfinity;
        for (int c = 0; c < x.Length; c++)
            if (c != first && x[c] > second)
                second = x[c];
        return (first, x[first] - second);
    }

    /// <summary>
    /// The k largest as keys (ordered bits of the value, complement of the index), descending; returns how many.
    /// </summary>
    private static int Largest(ReadOnlySpan<float> x, Span<ulong> best)
    {
        int n = 0;
        float floor = float.NegativeInfinity;
        for (int j = 0; j < x.Length; j++)
        {
            if (n == best.Length && !(x[j] > floor))
                continue;
            uint bits = BitConverter.SingleToUInt32Bits(x[j]);
            ulong key = (ulong)((bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000) << 32 | ~(uint)j;
            int at = n < best.Length ? n++ : n - 1;
            for (; at > 0 && best[at - 1] < key; at--)
                best[at] = best[at - 1];
            best[at] = key;
            if (n == best.Length)
                floor = x[(int)(uint)~best[n - 1]];
        }
        return n;
    }

    /// <summary>y [N, D] = rows of x, each divided by its length; squares [N, 1].</summary>
    private static void Unit(Mat y, Mat squares, Mat x, Device device, Pool pool)
    {
        pool.Run(
            (x.Rows + Chunk - 1) / Chunk,
            (chunk, _) =>
            {
                for (int r = chunk * Chunk; r < Math.Min((chunk + 1) * Chunk, x.Rows); r++)
                {
                    Elementwise.SquaredNorm(device, squares.Slice(r, 1), x.Slice(r, 1));
                    float norm = MathF.Sqrt(squares.Data[r]);
                    norm = norm > 1e-12f ? norm : 1e-12f;
                    for (int j = 0; j < x.Cols; j++)
                        y.Row(r)[j] = x.Row(r)[j] / norm;
                }
            }
        );
    }
}
