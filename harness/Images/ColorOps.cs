namespace LutNative.Harness.Images;

/// <summary>
/// Colour operations as torchvision 0.14 applies them to Pillow 9.4 images, equal bit for bit (golden/images). All work
/// in place. Behaviour of ImageEnhance.py, ImageOps.py, and libImaging's Blend.c, Convert.c and BoxBlur.c.
/// </summary>
public static class ColorOps
{
    /// <summary>Blend with black.</summary>
    public static void Brightness(Picture p, float factor)
    {
        Map(p, 0, factor);
    }

    /// <summary>Blend with the rounded mean of the gray image.</summary>
    public static void Contrast(Picture p, float factor)
    {
        long sum = 0;
        for (int i = 0; i < p.Data.Length; i += 3)
            sum += Gray(p.Data, i);
        byte mean = (byte)((double)sum / (p.Data.Length / 3) + 0.5);
        Map(p, mean, factor);
    }

    /// <summary>Blend of every value with one: made once for each of the 256.</summary>
    private static void Map(Picture p, int with, float factor)
    {
        Span<byte> table = stackalloc byte[256];
        for (int v = 0; v < 256; v++)
            table[v] = Blend(with, v, factor);
        for (int i = 0; i < p.Data.Length; i++)
            p.Data[i] = table[p.Data[i]];
    }

    /// <summary>Blend with the gray image.</summary>
    public static void Saturation(Picture p, float factor)
    {
        for (int i = 0; i < p.Data.Length; i += 3)
        {
            byte gray = Gray(p.Data, i);
            for (int c = 0; c < 3; c++)
                p.Data[i + c] = Blend(gray, p.Data[i + c], factor);
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
        for (int i = 0; i < p.Data.Length; i += 3)
            p.Data[i] = p.Data[i + 1] = p.Data[i + 2] = Gray(p.Data, i);
    }

    /// <summary>Inverts values at or above the threshold.</summary>
    public static void Solarize(Picture p, int threshold)
    {
        for (int i = 0; i < p.Data.Length; i++)
            if (p.Data[i] >= threshold)
                p.Data[i] = (byte)(255 - p.Data[i]);
    }

    /// <summary>Three box blurs a direction that together approximate a Gaussian of the radius.</summary>
    public static void GaussianBlur(Picture p, float radius)
    {
        float sigma2 = radius * radius / 3;
        float width = (float)Math.Sqrt(12.0 * sigma2 + 1.0);
        float l = (float)Math.Floor((width - 1.0) / 2.0);
        float a = (2 * l + 1) * (l * (l + 1) - 3 * sigma2);
        a /= 6 * (sigma2 - (l + 1) * (l + 1));
        float box = l + a;
        byte[] other = System.Buffers.ArrayPool<byte>.Shared.Rent(p.Data.Length);
        uint[] sums = System.Buffers.ArrayPool<uint>.Shared.Rent(3 * p.Width);
        for (int pass = 0; pass < 3; pass++)
        for (int y = 0; y < p.Height; y++)
            BlurRow(p.Row(y), other, p.Width, box);
        for (int pass = 0; pass < 3; pass++)
        {
            p.Data.CopyTo(other, 0);
            BlurColumns(p.Data, other, sums.AsSpan(0, 3 * p.Width), p.Height, box);
        }
        System.Buffers.ArrayPool<byte>.Shared.Return(other);
        System.Buffers.ArrayPool<uint>.Shared.Return(sums);
    }

    /// <summary>
    /// The weights of a box of fractional radius, in 24-bit fixed point: of whole pixels, and of the two at the ends.
    /// Edges repeat.
    /// </summary>
    private static (int Whole, uint WholeWeight, uint EndWeight) Box(float radius)
    {
        int r = (int)radius;
        uint ww = (uint)((1 << 24) / (radius * 2 + 1));
        return (r, ww, ((1 << 24) - (uint)(r * 2 + 1) * ww) / 2);
    }

    private static void BlurRow(Span<byte> row, Span<byte> line, int n, float radius)
    {
        var (r, ww, fw) = Box(radius);
        row.CopyTo(line);
        for (int c = 0; c < 3; c++)
        {
            uint sum = 0;
            for (int i = -r - 1; i < r; i++)
                sum += line[3 * Math.Clamp(i, 0, n - 1) + c];
            for (int x = 0; x < n; x++)
            {
                uint first = line[3 * Math.Max(x - r - 1, 0) + c];
                sum = unchecked(sum + line[3 * Math.Min(x + r, n - 1) + c] - first);
                uint bulk = sum * ww + (first + line[3 * Math.Min(x + r + 1, n - 1) + c]) * fw;
                row[3 * x + c] = (byte)((bulk + (1 << 23)) >> 24);
            }
        }
    }

    /// <summary>All columns at once, row by row, so that memory is walked as it lies.</summary>
    private static void BlurColumns(Span<byte> to, ReadOnlySpan<byte> from, Span<uint> sums, int n, float radius)
    {
        var (r, ww, fw) = Box(radius);
        int stride = sums.Length;
        sums.Clear();
        for (int i = -r - 1; i < r; i++)
        {
            var row = from.Slice(Math.Clamp(i, 0, n - 1) * stride, stride);
            for (int x = 0; x < sums.Length; x++)
                sums[x] += row[x];
        }
        for (int y = 0; y < n; y++)
        {
            ReadOnlySpan<byte> first = from.Slice(Math.Max(y - r - 1, 0) * stride, stride);
            ReadOnlySpan<byte> next = from.Slice(Math.Min(y + r, n - 1) * stride, stride);
            ReadOnlySpan<byte> last = from.Slice(Math.Min(y + r + 1, n - 1) * stride, stride);
            var row = to.Slice(y * stride, stride);
            for (int x = 0; x < sums.Length; x++)
            {
                uint sum = unchecked(sums[x] + next[x] - first[x]);
                sums[x] = sum;
                row[x] = (byte)((sum * ww + (uint)(first[x] + last[x]) * fw + (1 << 23)) >> 24);
            }
        }
    }

    private static byte Gray(byte[] d, int i) =>
        (byte)((d[i] * 19595 + d[i + 1] * 38470 + d[i + 2] * 7471 + 0x8000) >> 16);

    /// <summary>a + factor (b - a), truncated; clamped when the factor extrapolates.</summary>
    internal static byte Blend(int a, int b, float factor)
    {
        if (factor == 1f)
            return (byte)b;
        float x = a + factor * (b - a);
        return x <= 0f ? (byte)0
            : x >= 255f ? (byte)255
            : (byte)(int)x;
    }

    private static (byte H, byte S, byte V) ToHsv(byte r, byte g, byte b)
    {
        byte max = Math.Max(r, Math.Max(g, b));
        byte min = Math.Min(r, Math.Min(g, b));
        if (max == min)
            return (0, 0, max);
        float range = max - min;
        float s = range / max;
        float h =
            r == max ? (max - b) / range - (max - g) / range
            : g == max ? (float)(2.0 + (max - r) / range - (max - b) / range)
            : (float)(4.0 + (max - g) / range - (max - r) / range);
        double turns = h / 6.0 + 1.0;
        h = (float)(turns - (int)turns); // turns is positive
        return ((byte)Math.Clamp((int)(h * 255.0), 0, 255), (byte)Math.Clamp((int)(s * 255.0), 0, 255), max);
    }

    private static (byte R, byte G, byte B) FromHsv(byte h, byte s, byte v)
    {
        if (s == 0)
            return (v, v, v);
        var (i, f) = Sixths[h];
        float fs = Shares[s];
        byte p = Rounded(v * (1.0 - fs));
        byte q = Rounded(v * (1.0 - fs * f));
        byte t = Rounded(v * (1.0 - fs * (1.0 - f)));
        return (i % 6) switch
        {
            0 => (v, t, p),
            1 => (q, v, p),
            2 => (p, v, t),
            3 => (p, q, v),
            4 => (t, p, v),
            _ => (v, p, q),
        };
    }

    /// <summary>Of each hue: which sixth of the circle, and how far into it.</summary>
    private static readonly (int Sixth, float Into)[] Sixths =
    [
        .. Enumerable.Range(0, 256).Select(h => h * 6.0 / 255.0).Select(x => ((int)x, (float)(x - (int)x))),
    ];

    private static readonly float[] Shares = [.. Enumerable.Range(0, 256).Select(s => (float)(s / 255.0))];

    /// <summary>Half away from zero, for x in [0, 255]; the difference is exact.</summary>
    private static byte Rounded(double x)
    {
        int below = (int)x;
        return (byte)(x - below >= 0.5 ? below + 1 : below);
    }
}
