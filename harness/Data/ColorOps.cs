namespace LutNative.Harness.Data;

/// <summary>
/// Colour operations as torchvision 0.14 applies them to Pillow 9.4 images, equal bit for bit (golden/images). All work in place.
/// Behaviour of ImageEnhance.py, ImageOps.py, and libImaging's Blend.c, Convert.c and BoxBlur.c.
/// </summary>
public static class ColorOps
{
    /// <summary>Blend with black.</summary>
    public static void Brightness(Picture p, float factor)
    {
        for (int i = 0; i < p.Data.Length; i++) p.Data[i] = Blend(0, p.Data[i], factor);
    }

    /// <summary>Blend with the rounded mean of the gray image.</summary>
    public static void Contrast(Picture p, float factor)
    {
        long sum = 0;
        for (int i = 0; i < p.Data.Length; i += 3) sum += Gray(p.Data, i);
        byte mean = (byte)((double)sum / (p.Data.Length / 3) + 0.5);
        for (int i = 0; i < p.Data.Length; i++) p.Data[i] = Blend(mean, p.Data[i], factor);
    }

    /// <summary>Blend with the gray image.</summary>
    public static void Saturation(Picture p, float factor)
    {
        for (int i = 0; i < p.Data.Length; i += 3)
        {
            byte gray = Gray(p.Data, i);
            for (int c = 0; c < 3; c++) p.Data[i + c] = Blend(gray, p.Data[i + c], factor);
        }
    }

    /// <summary>Rotates the 8-bit hue by factor*255 (truncated, modulo 256), through Pillow's HSV.</summary>
    public static void Hue(Picture p, double factor)
    {
        byte turn = unchecked((byte)(int)(factor * 255));
        for (int i = 0; i < p.Data.Length; i += 3)
        {
            var (h, s, v) = ToHsv(p.Data[i], p.Data[i + 1], p.Data[i + 2]);
            (p.Data[i], p.Data[i + 1], p.Data[i + 2]) = FromHsv(unchecked((byte)(h + turn)), s, v);
        }
    }

    /// <summary>Grayscale(num_output_channels=3).</summary>
    public static void Grayscale(Picture p)
    {
        for (int i = 0; i < p.Data.Length; i += 3) p.Data[i] = p.Data[i + 1] = p.Data[i + 2] = Gray(p.Data, i);
    }

    /// <summary>Inverts values at or above the threshold.</summary>
    public static void Solarize(Picture p, int threshold)
    {
        for (int i = 0; i < p.Data.Length; i++)
            if (p.Data[i] >= threshold) p.Data[i] = (byte)(255 - p.Data[i]);
    }

    /// <summary>Three box blurs a direction that together approximate a Gaussian of the radius.</summary>
    public static void GaussianBlur(Picture p, float radius)
    {
        float sigma2 = radius * radius / 3;
        float width = (float)Math.Sqrt(12.0 * sigma2 + 1.0), l = (float)Math.Floor((width - 1.0) / 2.0);
        float a = (2 * l + 1) * (l * (l + 1) - 3 * sigma2);
        a /= 6 * (sigma2 - (l + 1) * (l + 1));
        float box = l + a;
        Span<byte> line = stackalloc byte[Math.Max(p.Width, p.Height) + 2];
        for (int pass = 0; pass < 3; pass++)
            for (int y = 0; y < p.Height; y++)
                for (int c = 0; c < 3; c++) BoxBlur(p.Data, y * p.Width * 3 + c, 3, p.Width, box, line);
        for (int pass = 0; pass < 3; pass++)
            for (int x = 0; x < p.Width; x++)
                for (int c = 0; c < 3; c++) BoxBlur(p.Data, x * 3 + c, p.Width * 3, p.Height, box, line);
    }

    /// <summary>One line of a box blur of fractional radius: whole pixels weigh ww, the two at the ends fw, in 24-bit fixed point; edges repeat.</summary>
    private static void BoxBlur(byte[] data, int start, int stride, int n, float radius, Span<byte> line)
    {
        int r = (int)radius;
        uint ww = (uint)((1 << 24) / (radius * 2 + 1)), fw = ((1 << 24) - (uint)(r * 2 + 1) * ww) / 2;
        for (int i = 0; i < n; i++) line[i] = data[start + i * stride];
        uint sum = 0;
        for (int i = -r - 1; i < r; i++) sum += line[Math.Clamp(i, 0, n - 1)];
        for (int x = 0; x < n; x++)
        {
            sum = unchecked(sum + line[Math.Min(x + r, n - 1)] - line[Math.Max(x - r - 1, 0)]);
            uint bulk = sum * ww + (uint)(line[Math.Max(x - r - 1, 0)] + line[Math.Min(x + r + 1, n - 1)]) * fw;
            data[start + x * stride] = (byte)((bulk + (1 << 23)) >> 24);
        }
    }

    private static byte Gray(byte[] d, int i) => (byte)((d[i] * 19595 + d[i + 1] * 38470 + d[i + 2] * 7471 + 0x8000) >> 16);

    /// <summary>a + factor (b - a), truncated; clamped when the factor extrapolates.</summary>
    internal static byte Blend(int a, int b, float factor)
    {
        if (factor == 1f) return (byte)b;
        float x = a + factor * (b - a);
        return x <= 0f ? (byte)0 : x >= 255f ? (byte)255 : (byte)(int)x;
    }

    private static (byte H, byte S, byte V) ToHsv(byte r, byte g, byte b)
    {
        byte max = Math.Max(r, Math.Max(g, b)), min = Math.Min(r, Math.Min(g, b));
        if (max == min) return (0, 0, max);
        float range = max - min, s = range / max;
        float rc = (max - r) / range, gc = (max - g) / range, bc = (max - b) / range;
        float h = r == max ? bc - gc : g == max ? (float)(2.0 + rc - bc) : (float)(4.0 + gc - rc);
        double turns = h / 6.0 + 1.0;
        h = (float)(turns - Math.Floor(turns));
        return ((byte)Math.Clamp((int)(h * 255.0), 0, 255), (byte)Math.Clamp((int)(s * 255.0), 0, 255), max);
    }

    private static (byte R, byte G, byte B) FromHsv(byte h, byte s, byte v)
    {
        if (s == 0) return (v, v, v);
        int i = (int)Math.Floor(h * 6.0 / 255.0);
        float f = (float)(h * 6.0 / 255.0 - i), fs = (float)(s / 255.0);
        byte p = Rounded(v * (1.0 - fs)), q = Rounded(v * (1.0 - fs * f)), t = Rounded(v * (1.0 - fs * (1.0 - f)));
        return (i % 6) switch { 0 => (v, t, p), 1 => (q, v, p), 2 => (p, v, t), 3 => (p, q, v), 4 => (t, p, v), _ => (v, p, q) };
    }

    private static byte Rounded(double x) => (byte)Math.Clamp((int)Math.Round(x, MidpointRounding.AwayFromZero), 0, 255);
}
