using LutNative.Harness.Protocol;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Data;

/// <summary>
/// The two views of LUT, every draw addressed by (seed, purpose, sample, epoch, view), so workers and order cannot matter.
/// Source: LUT main_lut.py:303-337 (DeiT-III's simple random crop; jitter before the choice of three).
/// </summary>
public sealed class Views(ProtocolSpec protocol, ImageSet images)
{
    private readonly AugmentSpec a = protocol.Augment;
    private readonly ulong seed = (ulong)protocol.Seed;
    private readonly int size = protocol.Data.ImageSize;
    private readonly float[] mean = [.. protocol.Data.Mean.Select(x => (float)x)], std = [.. protocol.Data.Std.Select(x => (float)x)];

    // pictures of the current thread: every sample passes through them
    [ThreadStatic]
    private static Picture? source, cropped;

    public ImageSet Images => images;

    /// <summary>Weak view: resize, reflect-padded random crop, flip; normalised planes.</summary>
    public void Weak(int sample, uint epoch, uint view, Span<float> planes) => Spatial(sample, epoch, view).Normalise(planes, mean, std);

    /// <summary>Strong view: the weak one's geometry with draws of its own, colour jitter, then exactly one of gray, solarize, blur.</summary>
    public void Strong(int sample, uint epoch, uint view, Span<float> planes)
    {
        Picture p = Spatial(sample, epoch, view);
        Jitter(p, new Philox(seed, Purpose.Jitter, (ulong)sample, epoch, view));
        var one = new Philox(seed, Purpose.OneOfThree, (ulong)sample, epoch, view);
        switch (one.NextBelow(3))
        {
            case 0: ColorOps.Grayscale(p); break;
            case 1: ColorOps.Solarize(p, a.SolarizeThreshold); break;
            default: ColorOps.GaussianBlur(p, (float)(a.BlurMin + (a.BlurMax - a.BlurMin) * one.NextDouble())); break;
        }
        p.Normalise(planes, mean, std);
    }

    /// <summary>Evaluation: resize only.</summary>
    public void Plain(int sample, Span<float> planes) => Resized(sample).Normalise(planes, mean, std);

    /// <summary>One sort key a patch: 32 random bits, then the patch.</summary>
    public void MaskKeys(int sample, uint epoch, Span<ulong> keys)
    {
        var random = new Philox(seed, Purpose.Mask, (ulong)sample, epoch, 0);
        for (int l = 0; l < keys.Length; l++) keys[l] = (ulong)random.NextUInt() << 32 | (uint)l;
    }

    /// <summary>The image at the protocol's size; valid until this thread asks for another.</summary>
    private Picture Resized(int sample)
    {
        if (source is null || source.Width != images.Size) source = new Picture(images.Size, images.Size);
        source.SetGray(images.Gray(sample));
        return images.Size == size ? source : Resampling.ResizeShorter(source, size, ResampleFilter.Bicubic);
    }

    private Picture Spatial(int sample, uint epoch, uint view)
    {
        Picture p = Resized(sample);
        var crop = new Philox(seed, Purpose.Crop, (ulong)sample, epoch, view);
        int top = (int)crop.NextBelow((uint)(p.Height + 2 * a.CropPadding - size + 1)), left = (int)crop.NextBelow((uint)(p.Width + 2 * a.CropPadding - size + 1));
        if (cropped is null || cropped.Width != size) cropped = new Picture(size, size);
        p.PadReflectCrop(cropped, a.CropPadding, top, left);
        p = cropped;
        if (new Philox(seed, Purpose.Flip, (ulong)sample, epoch, view).NextFloat() < a.FlipProb) p.FlipHorizontally();
        return p;
    }

    /// <summary>torchvision's ColorJitter: a random order of the four operations, each factor uniform.</summary>
    private void Jitter(Picture p, Philox random)
    {
        if (random.NextFloat() >= a.JitterProb) return;
        Span<int> order = [0, 1, 2, 3];
        for (int i = 3; i > 0; i--)
        {
            int j = (int)random.NextBelow((uint)i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        double Around(double width) => 1.0 - width + 2.0 * width * random.NextDouble();
        double brightness = Around(a.Brightness), contrast = Around(a.Contrast), saturation = Around(a.Saturation), hue = a.Hue * (2.0 * random.NextDouble() - 1.0);
        foreach (int op in order)
            switch (op)
            {
                case 0: ColorOps.Brightness(p, (float)brightness); break;
                case 1: ColorOps.Contrast(p, (float)contrast); break;
                case 2: ColorOps.Saturation(p, (float)saturation); break;
                default: ColorOps.Hue(p, hue); break;
            }
    }
}

/// <summary>
/// The order of an epoch: samples sorted by unique 64-bit keys, (32 random bits addressed by sample, epoch and stage) &lt;&lt; 32 | sample.
/// Batch s is places [s*B, (s+1)*B); what does not fill a batch is dropped.
/// </summary>
public static class EpochOrder
{
    public static int[] Draw(ulong seed, uint epoch, uint stage, int count)
    {
        var order = new int[count];
        Draw(seed, epoch, stage, order, new ulong[count]);
        return order;
    }

    /// <summary>Into order, with keys of the same length as scratch.</summary>
    public static void Draw(ulong seed, uint epoch, uint stage, Span<int> order, Span<ulong> keys)
    {
        for (int i = 0; i < order.Length; i++) keys[i] = (ulong)new Philox(seed, Purpose.Shuffle, (ulong)i, epoch, stage).NextUInt() << 32 | (uint)i;
        keys.Sort();
        for (int i = 0; i < order.Length; i++) order[i] = (int)(uint)keys[i];
    }
}
