using LutNative.Harness.Data;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>Frozen features of a whole set, one row an image.</summary>
public static class Features
{
    internal const int Chunk = 50;

    /// <summary>Mean of the patch tokens after the final norm, all patches visible (the quantity that LUT's loss shapes).</summary>
    public static Mat Encode(Lut net, Weights weights, Views views, Device device, Pool pool, Arena arena)
    {
        int n = views.Images.Count, patches = net.Mae.Shape.Grid.Patches, d = net.Mae.Shape.Width;
        Mat all = arena.Matrix(n, d);
        using var scratch = device.NewArena();
        var workers = Enumerable.Range(0, pool.Workers).Select(_ =>
        {
            var a = new EncoderActivations(scratch, net.Mae.Shape, Chunk, patches, training: false);
            for (int i = 0; i < a.Index.Length; i++) a.Index[i] = i % patches;
            return (A: a, Image: new HostInput(device, net.Mae.Shape.Grid.ImageFloats), Normed: scratch.Matrix(Chunk * (patches + 1), d), Stats: scratch.Matrix(Chunk * (patches + 1), 2), Pooled: scratch.Matrix(Chunk, d));
        }).ToArray();
        pool.Run((n + Chunk - 1) / Chunk, (chunk, w) =>
        {
            int count = Math.Min(Chunk, n - chunk * Chunk);
            for (int i = 0; i < count; i++)
            {
                views.Plain(chunk * Chunk + i, workers[w].Image.Begin(workers[w].A.Images.Slice(i, 1)));
                workers[w].Image.End();
            }
            net.Mae.Encode(new Pass(device, weights), workers[w].Normed, workers[w].Stats, workers[w].A);
            Pooling.Forward(device, workers[w].Pooled, workers[w].Normed);
            device.Read(all.Slice(chunk * Chunk, count).Span, workers[w].Pooled.Slice(0, count));
        });
        return all;
    }

    /// <summary>Gray values / 255: what the pixels alone can do.</summary>
    public static Mat RawPixels(GrayImages images, Arena arena)
    {
        Mat all = arena.Matrix(images.Count, images.Size * images.Size);
        for (int i = 0; i < images.Count; i++)
        {
            var gray = images.Gray(i);
            var row = all.Slice(i, 1).Span;
            for (int j = 0; j < row.Length; j++) row[j] = gray[j] / 255f;
        }
        return all;
    }
}

/// <summary>What an evaluation found: one prediction an image.</summary>
/// <param name="Ranks">Of the true class among the scores, from 0 (ties: the lower class first), where there are classes enough for a top-5 to mean something.</param>
public sealed record EvalResult(string Metric, int[] Predicted, float[] Margin, int[] Labels, int[]? Ranks = null)
{
    /// <summary>Below this a top-5 says nothing.</summary>
    public const int ClassesForTop5 = 100;

    public int Correct { get; } = Predicted.Where((p, i) => p == Labels[i]).Count();
    public double Accuracy => 100.0 * Correct / Labels.Length;
}
