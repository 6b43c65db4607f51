using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Results;
using SkiaSharp;

namespace LutNative.Harness.Evaluation;

/// <summary>
/// A picture of what the network rebuilds: for the first test images, a row each of originals, what the encoder saw,
/// and the decoder's answer (visible patches as given; a normalised prediction is put back with its patch's own mean
/// and deviation, as MAE's demo does).
/// </summary>
public static class Reconstructions
{
    internal const int Count = 16;
    private const int Zoom = 4;
    private const int Gap = 4;

    public static void Write(string path, ProtocolSpec protocol, Lut net, Weights weights, Views test, Device device)
    {
        using var arena = device.NewArena();
        var grid = net.Mae.Shape.Grid;
        int n = Math.Min(Count, test.Images.Count);
        int size = grid.Size;
        var mask = new MaskPlan(grid.Patches, net.Options.MaskRatio);
        var buffers = new ReconstructionBuffers(net, mask, n, arena);
        var (a, d) = (buffers.Encoder, buffers.Decoder);
        var keys = new ulong[grid.Patches];
        var image = new HostInput(device, grid.ImageFloats);
        for (int s = 0; s < n; s++)
        {
            test.Plain(s, image.Begin(a.Images.Slice(s, 1)));
            image.End();
            test.MaskKeys(s, 0, keys);
            mask.Draw(
                keys,
                a.Index.AsSpan(s * mask.Kept, mask.Kept),
                default,
                d.Restore.AsSpan(s * grid.Patches, grid.Patches)
            );
        }
        var p = new Pass(device, weights);
        net.Mae.Encode(p, d.Normed, d.Stats, a);
        net.Mae.Decode(p, d, mask.Kept);
        Patchify.Target(device, d.Target, a.Images, grid);
        float[] target = new float[d.Target.Count];
        float[] pred = new float[d.Pred.Count];
        device.Read(target, d.Target);
        device.Read(pred, d.Pred);
        int each = grid.PatchFloats;
        using var bitmap = new SKBitmap(
            n * (size * Zoom + Gap) + Gap,
            3 * (size * Zoom + Gap) + Gap,
            SKColorType.Rgba8888,
            SKAlphaType.Opaque
        );
        bitmap.Erase(new SKColor(255, 255, 255));
        for (int s = 0; s < n; s++)
        for (int l = 0; l < grid.Patches; l++)
        {
            bool hidden = d.Restore[s * grid.Patches + l] >= mask.Kept;
            var truth = target.AsSpan((s * grid.Patches + l) * each, each);
            var guess = pred.AsSpan((s * (grid.Patches + 1) + 1 + l) * each, each);
            if (net.Options.NormPixLoss)
                PutBack(guess, truth);
            Draw(bitmap, protocol, grid, s, 0, l, truth);
            Draw(bitmap, protocol, grid, s, 1, l, hidden ? null : truth);
            Draw(bitmap, protocol, grid, s, 2, l, hidden ? guess : truth);
        }
        using var picture = SKImage.FromBitmap(bitmap);
        using var png = picture.Encode(SKEncodedImageFormat.Png, 100);
        WholeFile.Write(path, png.SaveTo);
    }

    private static void PutBack(Span<float> guess, ReadOnlySpan<float> truth)
    {
        double mean = 0;
        double square = 0;
        foreach (float v in truth)
            mean += v;
        mean /= truth.Length;
        foreach (float v in truth)
            square += (v - mean) * (v - mean);
        double sd = Math.Sqrt(square / (truth.Length - 1) + 1e-6);
        for (int i = 0; i < guess.Length; i++)
            guess[i] = (float)(guess[i] * sd + mean);
    }

    private static void Draw(
        SKBitmap to,
        ProtocolSpec protocol,
        PatchGrid grid,
        int column,
        int row,
        int patch,
        ReadOnlySpan<float> pixels
    )
    {
        int left = Gap + column * (grid.Size * Zoom + Gap) + patch % grid.Across * grid.Patch * Zoom;
        int top = Gap + row * (grid.Size * Zoom + Gap) + patch / grid.Across * grid.Patch * Zoom;
        for (int y = 0; y < grid.Patch * Zoom; y++)
        for (int x = 0; x < grid.Patch * Zoom; x++)
        {
            SKColor c = new(200, 205, 215);
            if (!pixels.IsEmpty)
            {
                int at = (y / Zoom * grid.Patch + x / Zoom) * grid.Channels;
                c = new SKColor(Byte(pixels[at], 0), Byte(pixels[at + 1], 1), Byte(pixels[at + 2], 2));
            }
            to.SetPixel(left + x, top + y, c);
        }
        byte Byte(float v, int channel) =>
            (byte)Math.Clamp((v * protocol.Data.Std[channel] + protocol.Data.Mean[channel]) * 255 + 0.5, 0, 255);
    }
}
