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
    private FeatureBuffers[]? workers;

    /// <summary>The features of every image of a set as evaluation sees it.</summary>
    public Mat Encode(Views views, Arena arena)
    {
        Mat all = Table(views.Images.Count, net.Mae.Shape.Width, arena);
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
        workers ??=
        [
            .. Enumerable.Range(0, pool.Workers).Select(_ => new FeatureBuffers(net.Mae.Shape, Chunk, device, scratch)),
        ];
        pool.Run(
            (n + Chunk - 1) / Chunk,
            (chunk, w) =>
            {
                FeatureBuffers b = workers[w];
                int count = Math.Min(Chunk, n - chunk * Chunk);
                for (int i = 0; i < count; i++)
                {
                    fill(chunk * Chunk + i, b.Image.Begin(b.Encoder.Images.Slice(i, 1)));
                    b.Image.End();
                }
                net.Mae.Encode(new Pass(device, weights), b.Normed, b.Stats, b.Encoder);
                if (cls)
                    for (int i = 0; i < count; i++)
                        device.Copy(b.Pooled.Slice(i, 1), b.Normed.Slice(i * (patches + 1), 1));
                else
                    Pooling.Forward(device, b.Pooled, b.Normed);
                device.Read(all.Slice(chunk * Chunk, count).Span, b.Pooled.Slice(0, count));
            }
        );
    }

    /// <summary>[N, D]: a row of features an image, on the host.</summary>
    internal static Mat Table(int images, int width, Arena arena) => arena.Matrix(images, width);

    public delegate void Fill(int i, Span<float> planes);

    /// <summary>Bytes of the device that the buffers took.</summary>
    internal long Bytes => scratch.Bytes;

    public void Dispose() => scratch.Dispose();

    /// <summary>Gray values / 255: what the pixels alone can do.</summary>
    public static Mat RawPixels(GrayImages images, Arena arena)
    {
        Mat all = Table(images.Count, images.Size * images.Size, arena);
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
