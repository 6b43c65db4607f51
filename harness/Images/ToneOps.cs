namespace LutNative.Harness.Images;

/// <summary>
/// Per-value and neighbourhood operations of Pillow 9.4 that RandAugment uses, in place, equal bit for bit
/// (golden/images). Behaviour of PIL/ImageOps.py (autocontrast, equalize, invert, posterize) and of
/// ImageEnhance.Sharpness with libImaging's Filter.c.
/// </summary>
public static class ToneOps
{
    /// <summary>Stretches each channel so that its least value becomes 0 and its greatest 255.</summary>
    public static void AutoContrast(Picture p)
    {
        for (int c = 0; c < 3; c++)
        {
            int low = 255;
            int high = 0;
            for (int i = c; i < p.Data.Length; i += 3)
                (low, high) = (Math.Min(low, p.Data[i]), Math.Max(high, p.Data[i]));
            if (high <= low)
                continue;
            double scale = 255.0 / (high - low);
            double offset = -low * scale;
            Map(p, c, v => (int)(v * scale + offset));
        }
    }

    /// <summary>Makes each channel's histogram as flat as whole numbers allow.</summary>
    public static void Equalize(Picture p)
    {
        Span<int> count = stackalloc int[256];
        for (int c = 0; c < 3; c++)
        {
            count.Clear();
            for (int i = c; i < p.Data.Length; i += 3)
                count[p.Data[i]]++;
            int last = 255;
            while (count[last] == 0)
                last--;
            int step = (p.Data.Length / 3 - count[last]) / 255;
            if (step == 0)
                continue; // one value, or too few pixels
            int n = step / 2;
            int[] to = new int[256];
            for (int v = 0; v < 256; n += count[v++])
                to[v] = n / step;
            Map(p, c, v => to[v]);
        }
    }

    public static void Invert(Picture p)
    {
        for (int i = 0; i < p.Data.Length; i++)
            p.Data[i] = (byte)(255 - p.Data[i]);
    }

    /// <summary>Keeps the upper bits of each value; 8 keeps all, 0 none.</summary>
    public static void Posterize(Picture p, int bits)
    {
        if (bits >= 8)
            return;
        byte mask = unchecked((byte)~((1 << (8 - bits)) - 1));
        for (int i = 0; i < p.Data.Length; i++)
            p.Data[i] &= mask;
    }

    /// <summary>Adds to values below 128, up to 255.</summary>
    public static void SolarizeAdd(Picture p, int add)
    {
        for (int i = 0; i < p.Data.Length; i++)
            if (p.Data[i] < 128)
                p.Data[i] = (byte)Math.Min(255, p.Data[i] + add);
    }

    /// <summary>
    /// Blends with the image smoothed by a 3 x 3 kernel (1, 5 in the middle, sum 13); edges are not smoothed.
    /// </summary>
    public static void Sharpness(Picture p, float factor)
    {
        var smooth = Picture.FromRgb(p.Width, p.Height, p.Data);
        const float Side = 1f / 13f;
        const float Middle = 5f / 13f;
        int stride = p.Width * 3;
        for (int y = 1; y < p.Height - 1; y++)
        for (int i = y * stride + 3; i < (y + 1) * stride - 3; i++)
        {
            float sum = 0.5f;
            sum += p.Data[i + stride - 3] * Side + p.Data[i + stride] * Side + p.Data[i + stride + 3] * Side;
            sum += p.Data[i - 3] * Side + p.Data[i] * Middle + p.Data[i + 3] * Side;
            sum += p.Data[i - stride - 3] * Side + p.Data[i - stride] * Side + p.Data[i - stride + 3] * Side;
            smooth.Data[i] =
                sum <= 0f ? (byte)0
                : sum >= 255f ? (byte)255
                : (byte)sum;
        }
        for (int i = 0; i < p.Data.Length; i++)
            p.Data[i] = ColorOps.Blend(smooth.Data[i], p.Data[i], factor);
    }

    private static void Map(Picture p, int channel, Func<int, int> f)
    {
        Span<byte> table = stackalloc byte[256];
        for (int v = 0; v < 256; v++)
            table[v] = (byte)Math.Clamp(f(v), 0, 255);
        for (int i = channel; i < p.Data.Length; i += 3)
            p.Data[i] = table[p.Data[i]];
    }
}
