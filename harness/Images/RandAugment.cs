using LutNative.Model.Numerics;

namespace LutNative.Harness.Images;

/// <summary>The fifteen operations of timm's "increasing" set, in its order, which draws choose by number.</summary>
public enum RandAugmentOp
{
    AutoContrast,
    Equalize,
    Invert,
    Rotate,
    PosterizeIncreasing,
    SolarizeIncreasing,
    SolarizeAdd,
    ColorIncreasing,
    ContrastIncreasing,
    BrightnessIncreasing,
    SharpnessIncreasing,
    ShearX,
    ShearY,
    TranslateXRel,
    TranslateYRel,
}

/// <summary>
/// RandAugment as timm 0.4.12 has it for "rand-m9-mstd0.5-inc1": layers draws with replacement, each applied with
/// probability 1/2 at a magnitude drawn from N(magnitude, std) and clipped to [0, 10]. Source: timm
/// data/auto_augment.py (rand_augment_ops, AugmentOp, _RAND_INCREASING_TRANSFORMS).
/// </summary>
/// <param name="Fill">The colour of pixels that geometry leaves empty: the mean of the data set, rounded.</param>
public sealed record RandAugment(
    int Layers,
    double Magnitude,
    double MagnitudeStd,
    double Prob,
    ResampleFilter Filter,
    (byte R, byte G, byte B) Fill
)
{
    private const double MaxLevel = 10.0;
    private const double TranslatePct = 0.45; // timm _MAX_LEVEL, and hparams translate_pct

    public Picture Apply(Picture p, Philox random)
    {
        for (int layer = 0; layer < Layers; layer++)
        {
            var op = (RandAugmentOp)random.NextBelow(15);
            bool applied = random.NextDouble() <= Prob;
            double magnitude = Math.Clamp(
                MagnitudeStd > 0 ? Magnitude + MagnitudeStd * random.NextNormal() : Magnitude,
                0.0,
                MaxLevel
            );
            bool negate = random.NextDouble() > 0.5;
            if (applied)
                p = Apply(p, op, magnitude, negate, Filter, Fill);
        }
        return p;
    }

    /// <summary>
    /// One operation; negate turns its direction round where it has one. May change p, and returns it or a new picture.
    /// </summary>
    public static Picture Apply(
        Picture p,
        RandAugmentOp op,
        double magnitude,
        bool negate,
        ResampleFilter filter,
        (byte R, byte G, byte B) fill
    )
    {
        double level = magnitude / MaxLevel;
        double sign = negate ? -1.0 : 1.0;
        double enhance = Math.Max(0.1, 1.0 + sign * (level * 0.9));
        switch (op)
        {
            case RandAugmentOp.AutoContrast:
                ToneOps.AutoContrast(p);
                return p;
            case RandAugmentOp.Equalize:
                ToneOps.Equalize(p);
                return p;
            case RandAugmentOp.Invert:
                ToneOps.Invert(p);
                return p;
            case RandAugmentOp.Rotate:
                return Affine.Rotate(p, sign * (level * 30.0), filter, fill);
            case RandAugmentOp.PosterizeIncreasing:
                ToneOps.Posterize(p, 4 - (int)(level * 4));
                return p;
            case RandAugmentOp.SolarizeIncreasing:
                ColorOps.Solarize(p, 256 - (int)(level * 256));
                return p;
            case RandAugmentOp.SolarizeAdd:
                ToneOps.SolarizeAdd(p, (int)(level * 110));
                return p;
            case RandAugmentOp.ColorIncreasing:
                ColorOps.Saturation(p, (float)enhance);
                return p;
            case RandAugmentOp.ContrastIncreasing:
                ColorOps.Contrast(p, (float)enhance);
                return p;
            case RandAugmentOp.BrightnessIncreasing:
                ColorOps.Brightness(p, (float)enhance);
                return p;
            case RandAugmentOp.SharpnessIncreasing:
                ToneOps.Sharpness(p, (float)enhance);
                return p;
            case RandAugmentOp.ShearX:
                return Affine.Transform(p, [1, sign * (level * 0.3), 0, 0, 1, 0], filter, fill);
            case RandAugmentOp.ShearY:
                return Affine.Transform(p, [1, 0, 0, sign * (level * 0.3), 1, 0], filter, fill);
            case RandAugmentOp.TranslateXRel:
                return Affine.Transform(p, [1, 0, sign * (level * TranslatePct) * p.Width, 0, 1, 0], filter, fill);
            default:
                return Affine.Transform(p, [1, 0, 0, 0, 1, sign * (level * TranslatePct) * p.Height], filter, fill);
        }
    }
}
