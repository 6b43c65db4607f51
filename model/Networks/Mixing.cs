namespace LutNative.Model.Networks;

/// <summary>
/// Mixup and CutMix in batch mode: sample i is mixed with B-1-i, one lambda a batch. Source: timm 0.4.12 data/mixup.py.
/// Order: mixup x_i*lam + x_j*(1-lam), two products and one sum; targets off = smoothing/C, on = 1 - smoothing + off,
/// y1*lam + y2*(1-lam).
/// </summary>
public static class Mixing
{
    /// <summary>Rows [Top, Bottom), columns [Left, Right).</summary>
    public readonly record struct Box(int Top, int Bottom, int Left, int Right)
    {
        public int Area => (Bottom - Top) * (Right - Left);
    }

    /// <summary>image and its unmixed partner, both [C*H*W]: image becomes image*lam + partner*(1-lam).</summary>
    public static void MixUp(Span<float> image, ReadOnlySpan<float> partner, double lam)
    {
        float a = (float)lam;
        float b = (float)(1.0 - lam);
        for (int i = 0; i < image.Length; i++)
            image[i] = image[i] * a + partner[i] * b;
    }

    /// <summary>image and its unmixed partner, both [C, size, size]: the box of every plane is the partner's.</summary>
    public static void CutMix(Span<float> image, ReadOnlySpan<float> partner, int size, Box box)
    {
        for (int plane = 0; plane < image.Length; plane += size * size)
        for (int row = box.Top; row < box.Bottom; row++)
            partner
                .Slice(plane + row * size + box.Left, box.Right - box.Left)
                .CopyTo(image[(plane + row * size + box.Left)..]);
    }

    /// <summary>
    /// The box of a lambda around a centre, clipped; lambda must then be corrected to 1 - area/size^2.
    /// </summary>
    public static Box CutBox(int size, double lam, int centreRow, int centreColumn)
    {
        int half = (int)(size * Math.Sqrt(1.0 - lam)) / 2;
        return new Box(
            Math.Clamp(centreRow - half, 0, size),
            Math.Clamp(centreRow + half, 0, size),
            Math.Clamp(centreColumn - half, 0, size),
            Math.Clamp(centreColumn + half, 0, size)
        );
    }

    /// <summary>Soft target of a sample with its label, its partner's label, lambda and label smoothing.</summary>
    public static void Target(Span<float> target, int label, int partner, double lam, double smoothing)
    {
        float off = (float)(smoothing / target.Length);
        float on = (float)(1.0 - smoothing + smoothing / target.Length);
        float a = (float)lam;
        float b = (float)(1.0 - lam);
        for (int c = 0; c < target.Length; c++)
            target[c] = (c == label ? on : off) * a + (c == partner ? on : off) * b;
    }
}
