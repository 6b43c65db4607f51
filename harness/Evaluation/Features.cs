using LutNative.Harness.Images;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Evaluation;

/// <summary>
/// Frozen features of a pre-trained network, all patches visible: one row an image, made on the network's device by all
/// of its workers.
/// </summary>
/// <param name="cls">
/// The class token after the final norm, or else the mean of the patch tokens (the quantity that LUT's loss shapes).
/// </param>
public sealed class Features(Lut net, Weights weights, Device device, Pool pool, bool cls = false) : IDisposable
{
    internal const int Chunk = 50;
    private readonly Arena scratch = device.NewArena();
    private (EncoderActivations A, HostInput Image, Mat Normed, Mat Stats, Mat Pooled)[]? workers;

    /// <summary>The features of every image of a set as evaluation sees it.</summary>
    public Mat Encode(Views views, Arena arena)
    {
        Mat all = arena.Matrix(views.Images.Count, net.Mae.Shape.Width);
        Encode(all, views.Plain);
        return all;
    }

    /// <summary>
    /// all [N, D] in host memory, row i from the image that fill writes for i. fill is called from several threads.
    /// </summary>
    public void Encode(Mat all, Fill fill)
    {
        int n = all.Rows;
        int patches = net.Mae.Shape.Grid.Patches;
        int d = net.Mae.Shape.Width;
        workers ??=
        [
            .. Enumerable
                .Range(0, pool.Workers)
                .Select(_ =>
                {
                    var a = new EncoderActivations(scratch, net.Mae.Shape, Chunk, patches, training: false);
                    for (int i = 0; i < a.Index.Length; i++)
                        a.Index[i] = i % patches;
                    return (
                        a,
                        new HostInput(device, net.Mae.Shape.Grid.ImageFloats),
                        scratch.Matrix(Chunk * (patches + 1), d),
                        scratch.Matrix(Chunk * (patches + 1), 2),
                        scratch.Matrix(Chunk, d)
                    );
                }),
        ];
        pool.Run(
            (n + Chunk - 1) / Chunk,
            (chunk, w) =>
            {
                var (a, image, normed, stats, pooled) = workers[w];
                int count = Math.Min(Chunk, n - chunk * Chunk);
                for (int i = 0; i < count; i++)
                {
                    fill(chunk * Chunk + i, image.Begin(a.Images.Slice(i, 1)));
                    image.End();
                }
                net.Mae.Encode(new Pass(device, weights), normed, stats, a);
                if (cls)
                    for (int i = 0; i < count; i++)
                        device.Copy(pooled.Slice(i, 1), normed.Slice(i * (patches + 1), 1));
                else
                    Pooling.Forward(device, pooled, normed);
                device.Read(all.Slice(chunk * Chunk, count).Span, pooled.Slice(0, count));
            }
        );
    }

    public delegate void Fill(int i, Span<float> planes);

    public void Dispose() => scratch.Dispose();

    /// <summary>Gray values / 255: what the pixels alone can do.</summary>
    public static Mat RawPixels(GrayImages images, Arena arena)
    {
        Mat all = arena.Matrix(images.Count, images.Size * images.Size);
        for (int i = 0; i < images.Count; i++)
        {
            var gray = images.Gray(i);
            var row = all.Slice(i, 1).Span;
            for (int j = 0; j < row.Length; j++)
                row[j] = gray[j] / 255f;
        }
        return all;
    }
}

/// <summary>What an evaluation found: one prediction an image.</summary>
/// <param name="Ranks">
/// Of the true class among the scores, from 0 (ties: the lower class first), where there are classes enough for a top-5
/// to mean something.
/// </param>
public sealed record EvalResult(string Metric, int[] Predicted, float[] Margin, int[] Labels, int[]? Ranks = null)
{
    /// <summary>Below this a top-5 says nothing.</summary>
    public const int ClassesForTop5 = 100;

    public int Correct { get; } = Predicted.Where((p, i) => p == Labels[i]).Count();
    public int? Top5 => Ranks?.Count(r => r < 5);
    public double Accuracy => 100.0 * Correct / Labels.Length;
}
