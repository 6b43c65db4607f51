using LutNative.Harness.Protocol;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Images;

/// <summary>
/// The two views of LUT, every draw addressed by (seed, purpose, sample, epoch, view), so workers and order cannot
/// matter.
/// Source: LUT main_lut.py:303-337 (DeiT-III's simple random crop; jitter before the choice of three).
/// </summary>
public sealed class Views(ProtocolSpec protocol, ImageSource images)
{
    private readonly AugmentSpec a = protocol.Augment;
    private readonly TransformSpec? t = protocol.Transform;
    private readonly ulong seed = (ulong)protocol.Seed;
    private readonly int size = protocol.Data.ImageSize;
    private readonly float[] mean = [.. protocol.Data.Mean.Select(x => (float)x)];
    private readonly float[] std = [.. protocol.Data.Std.Select(x => (float)x)];

    // a picture of the current thread: every sample passes through it
    [ThreadStatic]
    private static Picture? cropped;

    public ImageSource Images => images;

    /// <summary>Weak view: resize, reflect-padded random crop, flip; normalised planes.</summary>
    public void Weak(int sample, uint epoch, uint view, Span<float> planes) =>
        Spatial(sample, epoch, view).Normalise(planes, mean, std);

    /// <summary>
    /// Strong view: the weak one's geometry with draws of its own, colour jitter, then exactly one of gray, solarize,
    /// blur.
    /// </summary>
    public void Strong(int sample, uint epoch, uint view, Span<float> planes)
    {
        Picture p = Spatial(sample, epoch, view);
        Jitter(p, new Philox(seed, Purpose.Jitter, (ulong)sample, epoch, view));
        var one = new Philox(seed, Purpose.OneOfThree, (ulong)sample, epoch, view);
        switch (one.NextBelow(3))
        {
            case 0:
                ColorOps.Grayscale(p);
                break;
            case 1:
                ColorOps.Solarize(p, a.SolarizeThreshold);
                break;
            default:
                ColorOps.GaussianBlur(p, (float)(a.BlurMin + (a.BlurMax - a.BlurMin) * one.NextDouble()));
                break;
        }
        p.Normalise(planes, mean, std);
    }

    /// <summary>Evaluation: resize and, for photographs, the centre.</summary>
    public void Plain(int sample, Span<float> planes)
    {
        if (t is null)
            Resized(sample).Normalise(planes, mean, std);
        else
        {
            Picture p = images.Read(sample);
            var (w, h) = Resampling.Shorter(p.Width, p.Height, t.EvalResize);
            Resampling
                .Resize(p, w, h, ResampleFilter.Bicubic, Picture.Middle(w, size), Picture.Middle(h, size), size, size)
                .Normalise(planes, mean, std);
        }
    }

    /// <summary>
    /// Fine-tuning: the weak view, or for photographs RandomResizedCrop, flip, RandAugment and random erasing (timm
    /// 0.4.12 create_transform).
    /// </summary>
    public void Train(int sample, uint epoch, uint view, Span<float> planes)
    {
        if (t is null)
        {
            Weak(sample, epoch, view, planes);
            return;
        }
        Picture p = Flip(ResizedCrop(sample, epoch, view, t.FinetuneScaleMin), sample, epoch, view);
        if (t.RandAugmentLayers > 0)
            p = new RandAugment(
                t.RandAugmentLayers,
                t.RandAugmentMagnitude,
                t.RandAugmentStd,
                t.RandAugmentProb,
                ResampleFilter.Bicubic,
                Fill
            ).Apply(p, new Philox(seed, Purpose.RandAugment, (ulong)sample, epoch, view));
        p.Normalise(planes, mean, std);
        RandomErasing.Run(planes, size, t, new Philox(seed, Purpose.Erase, (ulong)sample, epoch, view));
    }

    /// <summary>A linear probe's augmentation: RandomResizedCrop and flip.</summary>
    public void Probe(int sample, uint epoch, uint view, double scaleMin, Span<float> planes) =>
        Flip(ResizedCrop(sample, epoch, view, scaleMin), sample, epoch, view).Normalise(planes, mean, std);

    /// <summary>The mean colour: what timm's RandAugment fills with.</summary>
    private (byte, byte, byte) Fill =>
        (
            (byte)Math.Round(255 * protocol.Data.Mean[0]),
            (byte)Math.Round(255 * protocol.Data.Mean[1]),
            (byte)Math.Round(255 * protocol.Data.Mean[2])
        );

    /// <summary>One sort key a patch: 32 random bits, then the patch.</summary>
    public void MaskKeys(int sample, uint epoch, Span<ulong> keys)
    {
        var random = new Philox(seed, Purpose.Mask, (ulong)sample, epoch, 0);
        for (int l = 0; l < keys.Length; l++)
            keys[l] = (ulong)random.NextUInt() << 32 | (uint)l;
    }

    /// <summary>The image at the protocol's size; valid until this thread asks for another.</summary>
    private Picture Resized(int sample)
    {
        Picture p = images.Read(sample);
        return Math.Min(p.Width, p.Height) == size ? p : Resampling.ResizeShorter(p, size, ResampleFilter.Bicubic);
    }

    private Picture Spatial(int sample, uint epoch, uint view)
    {
        if (t?.PretrainCrop == "random_resized")
            return Flip(ResizedCrop(sample, epoch, view, t.PretrainScaleMin), sample, epoch, view);
        Picture p = images.Read(sample);
        var (w, h) = Resampling.Shorter(p.Width, p.Height, size);
        var crop = new Philox(seed, Purpose.Crop, (ulong)sample, epoch, view);
        int top = (int)crop.NextBelow((uint)(h + 2 * a.CropPadding - size + 1)) - a.CropPadding;
        int left = (int)crop.NextBelow((uint)(w + 2 * a.CropPadding - size + 1)) - a.CropPadding;
        if (cropped is null || cropped.Width != size)
            cropped = new Picture(size, size);
        if (w == p.Width && h == p.Height)
            p.PadReflectCrop(cropped, 0, top, left);
        else
        {
            // only what the crop keeps is resized; what it reflects at an edge lies inside of that
            int x = Math.Max(0, left);
            int y = Math.Max(0, top);
            Resampling
                .Resize(
                    p,
                    w,
                    h,
                    ResampleFilter.Bicubic,
                    x,
                    y,
                    Math.Min(w, left + size) - x,
                    Math.Min(h, top + size) - y
                )
                .PadReflectCrop(cropped, 0, top - y, left - x);
        }
        return Flip(cropped, sample, epoch, view);
    }

    private Picture Flip(Picture p, int sample, uint epoch, uint view)
    {
        if (new Philox(seed, Purpose.Flip, (ulong)sample, epoch, view).NextFloat() < a.FlipProb)
            p.FlipHorizontally();
        return p;
    }

    /// <summary>
    /// torchvision's RandomResizedCrop: ten tries for an area and an aspect ratio (log-uniform) that fit, then the
    /// largest central part of an allowed ratio; bicubic.
    /// Source: torchvision 0.14 transforms.py, RandomResizedCrop.get_params.
    /// </summary>
    private Picture ResizedCrop(int sample, uint epoch, uint view, double scaleMin)
    {
        Picture p = images.Read(sample);
        var random = new Philox(seed, Purpose.Crop, (ulong)sample, epoch, view);
        double low = t?.RatioMin ?? 3.0 / 4.0;
        double high = t?.RatioMax ?? 4.0 / 3.0;
        double logLow = HostMath.Log(low);
        double logHigh = HostMath.Log(high);
        for (int i = 0; i < 10; i++)
        {
            double target = (double)p.Width * p.Height * (scaleMin + (1.0 - scaleMin) * random.NextDouble());
            double aspect = HostMath.Exp(logLow + (logHigh - logLow) * random.NextDouble());
            int w = (int)Math.Round(Math.Sqrt(target * aspect));
            int h = (int)Math.Round(Math.Sqrt(target / aspect));
            if (w <= 0 || h <= 0 || w > p.Width || h > p.Height)
                continue;
            int top = (int)random.NextBelow((uint)(p.Height - h + 1));
            int left = (int)random.NextBelow((uint)(p.Width - w + 1));
            return Resampling.Resize(p.Crop(top, left, h, w), size, size, ResampleFilter.Bicubic);
        }
        double ratio = (double)p.Width / p.Height;
        int width = ratio > high ? (int)Math.Round(p.Height * high) : p.Width;
        int height = ratio < low ? (int)Math.Round(p.Width / low) : p.Height;
        return Resampling.Resize(
            p.Crop((p.Height - height) / 2, (p.Width - width) / 2, height, width),
            size,
            size,
            ResampleFilter.Bicubic
        );
    }

    /// <summary>torchvision's ColorJitter: a random order of the four operations, each factor uniform.</summary>
    private void Jitter(Picture p, Philox random)
    {
        if (random.NextFloat() >= a.JitterProb)
            return;
        Span<int> order = [0, 1, 2, 3];
        for (int i = 3; i > 0; i--)
        {
            int j = (int)random.NextBelow((uint)i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        double Around(double width) => 1.0 - width + 2.0 * width * random.NextDouble();
        double brightness = Around(a.Brightness);
        double contrast = Around(a.Contrast);
        double saturation = Around(a.Saturation);
        double hue = a.Hue * (2.0 * random.NextDouble() - 1.0);
        foreach (int op in order)
            switch (op)
            {
                case 0:
                    ColorOps.Brightness(p, (float)brightness);
                    break;
                case 1:
                    ColorOps.Contrast(p, (float)contrast);
                    break;
                case 2:
                    ColorOps.Saturation(p, (float)saturation);
                    break;
                default:
                    ColorOps.Hue(p, hue);
                    break;
            }
    }
}
