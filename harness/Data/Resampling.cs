namespace LutNative.Harness.Data;

public enum ResampleFilter { Bilinear, Bicubic }

/// <summary>
/// Pillow's antialiased resize for 8-bit images: weights in double, normalised, rounded to 22-bit fixed point, a horizontal pass and a
/// vertical pass with 8-bit values between. Behaviour of Pillow 9.4 src/libImaging/Resample.c, equal bit for bit (golden/images).
/// </summary>
public static class Resampling
{
    private const int Bits = 32 - 8 - 2;

    /// <summary>torchvision's Resize(size): the shorter side becomes size, the other size*long/short truncated; same size returns the image.</summary>
    public static Picture ResizeShorter(Picture p, int size, ResampleFilter filter)
    {
        int w = p.Width <= p.Height ? size : (int)((double)size * p.Width / p.Height);
        int h = p.Width <= p.Height ? (int)((double)size * p.Height / p.Width) : size;
        return Resize(p, w, h, filter);
    }

    public static Picture Resize(Picture p, int width, int height, ResampleFilter filter)
    {
        if (width == p.Width && height == p.Height) return Picture.FromRgb(width, height, p.Data);
        if (width != p.Width) p = Horizontal(p, width, Weights(p.Width, width, filter));
        if (height != p.Height) p = Vertical(p, height, Weights(p.Height, height, filter));
        return p;
    }

    private static (int First, int[] K)[] Weights(int input, int output, ResampleFilter filter)
    {
        double scale = (double)input / output, stretch = Math.Max(scale, 1.0);
        double support = (filter == ResampleFilter.Bicubic ? 2.0 : 1.0) * stretch, inverse = 1.0 / stretch;
        var all = new (int, int[])[output];
        for (int o = 0; o < output; o++)
        {
            double centre = (o + 0.5) * scale, sum = 0.0;
            int first = Math.Max((int)(centre - support + 0.5), 0), last = Math.Min((int)(centre + support + 0.5), input);
            var w = new double[last - first];
            for (int i = 0; i < w.Length; i++) sum += w[i] = Value(filter, (i + first - centre + 0.5) * inverse);
            var k = new int[w.Length];
            for (int i = 0; i < w.Length; i++)
            {
                double v = sum != 0.0 ? w[i] / sum : w[i];
                k[i] = (int)((v < 0 ? -0.5 : 0.5) + v * (1 << Bits));
            }
            all[o] = (first, k);
        }
        return all;
    }

    private static double Value(ResampleFilter filter, double x)
    {
        x = Math.Abs(x);
        if (filter == ResampleFilter.Bilinear) return x < 1.0 ? 1.0 - x : 0.0;
        const double A = -0.5;
        return x < 1.0 ? ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0 : x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * A : 0.0;
    }

    private static Picture Horizontal(Picture p, int width, (int First, int[] K)[] weights)
    {
        var r = new Picture(width, p.Height);
        for (int y = 0; y < p.Height; y++)
        {
            ReadOnlySpan<byte> from = p.Row(y);
            Span<byte> to = r.Row(y);
            for (int x = 0; x < width; x++)
                for (int c = 0; c < 3; c++)
                {
                    var (first, k) = weights[x];
                    int sum = 1 << (Bits - 1);
                    for (int i = 0; i < k.Length; i++) sum += from[(first + i) * 3 + c] * k[i];
                    to[3 * x + c] = Clip(sum);
                }
        }
        return r;
    }

    private static Picture Vertical(Picture p, int height, (int First, int[] K)[] weights)
    {
        var r = new Picture(p.Width, height);
        int stride = p.Width * 3;
        for (int y = 0; y < height; y++)
        {
            var (first, k) = weights[y];
            for (int x = 0; x < stride; x++)
            {
                int sum = 1 << (Bits - 1);
                for (int i = 0; i < k.Length; i++) sum += p.Data[(first + i) * stride + x] * k[i];
                r.Data[y * stride + x] = Clip(sum);
            }
        }
        return r;
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> Bits, 0, 255);
}
