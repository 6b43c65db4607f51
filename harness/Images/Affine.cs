namespace LutNative.Harness.Images;

/// <summary>
/// Pillow's affine transform of an RGB image into one of the same size: each output pixel's centre is mapped, pixels
/// that fall outside get a fill colour, the others are interpolated in double. Behaviour of Pillow 9.4
/// src/libImaging/Geometry.c and PIL/Image.py (rotate), equal bit for bit (golden/images).
/// </summary>
public static class Affine
{
    /// <summary>Source of output (x, y): (a0 x + a1 y + a2, a3 x + a4 y + a5), at pixel centres.</summary>
    public static Picture Transform(
        Picture p,
        ReadOnlySpan<double> a,
        ResampleFilter filter,
        (byte R, byte G, byte B) fill
    )
    {
        var r = new Picture(p.Width, p.Height);
        double a0 = a[0];
        double a1 = a[1];
        double a2 = a[2];
        double a3 = a[3];
        double a4 = a[4];
        double a5 = a[5];
        for (int y = 0; y < p.Height; y++)
        for (int x = 0; x < p.Width; x++)
        {
            double xin = x + 0.5;
            double yin = y + 0.5;
            double u = a0 * xin + a1 * yin + a2;
            double v = a3 * xin + a4 * yin + a5;
            int at = (y * p.Width + x) * 3;
            if (u < 0.0 || u >= p.Width || v < 0.0 || v >= p.Height)
                (r.Data[at], r.Data[at + 1], r.Data[at + 2]) = fill;
            else if (filter == ResampleFilter.Bilinear)
                Bilinear(p, u - 0.5, v - 0.5, r.Data.AsSpan(at, 3));
            else
                Bicubic(p, u - 0.5, v - 0.5, r.Data.AsSpan(at, 3));
        }
        return r;
    }

    /// <summary>
    /// Counter-clockwise by degrees about the centre. Multiples of a right angle on a square are exact, as in
    /// Image.rotate.
    /// </summary>
    public static Picture Rotate(Picture p, double degrees, ResampleFilter filter, (byte R, byte G, byte B) fill)
    {
        degrees -= 360.0 * Math.Floor(degrees / 360.0); // Python's modulo
        if (degrees == 0.0)
            return Picture.FromRgb(p.Width, p.Height, p.Data);
        double angle = -degrees * (Math.PI / 180.0);
        double cx = p.Width / 2.0;
        double cy = p.Height / 2.0;
        double cos = Math.Round(Model.Numerics.HostMath.Cos(angle), 15, MidpointRounding.ToEven);
        double sin = Math.Round(Model.Numerics.HostMath.Sin(angle), 15, MidpointRounding.ToEven);
        double[] m = [cos, sin, 0.0, -sin, cos, 0.0];
        m[2] = m[0] * -cx + m[1] * -cy + cx;
        m[5] = m[3] * -cx + m[4] * -cy + cy;
        return Transform(p, m, filter, fill);
    }

    private static void Bilinear(Picture p, double u, double v, Span<byte> to)
    {
        int x = (int)Math.Floor(u);
        int y = (int)Math.Floor(v);
        double dx = u - x;
        double dy = v - y;
        int x0 = Math.Clamp(x, 0, p.Width - 1) * 3;
        int x1 = Math.Clamp(x + 1, 0, p.Width - 1) * 3;
        ReadOnlySpan<byte> upper = p.Row(Math.Clamp(y, 0, p.Height - 1));
        ReadOnlySpan<byte> lower = y + 1 < p.Height ? p.Row(y + 1) : upper;
        for (int c = 0; c < 3; c++)
        {
            double a = upper[x0 + c] + (upper[x1 + c] - upper[x0 + c]) * dx;
            double b = lower[x0 + c] + (lower[x1 + c] - lower[x0 + c]) * dx;
            to[c] = (byte)(a + (b - a) * dy);
        }
    }

    private static void Bicubic(Picture p, double u, double v, Span<byte> to)
    {
        int x = (int)Math.Floor(u);
        int y = (int)Math.Floor(v);
        double dx = u - x;
        double dy = v - y;
        Span<int> xs = [0, 0, 0, 0];
        for (int i = 0; i < 4; i++)
            xs[i] = Math.Clamp(x - 1 + i, 0, p.Width - 1) * 3;
        Span<double> rows = [0, 0, 0, 0];
        for (int c = 0; c < 3; c++)
        {
            for (int j = 0; j < 4; j++)
            {
                int line = y - 1 + j;
                if (j > 0 && (line < 0 || line >= p.Height))
                {
                    rows[j] = rows[j - 1]; // a row outside repeats the one before it; only the first is clamped
                    continue;
                }
                ReadOnlySpan<byte> row = p.Row(Math.Clamp(line, 0, p.Height - 1));
                rows[j] = Cubic(row[xs[0] + c], row[xs[1] + c], row[xs[2] + c], row[xs[3] + c], dx);
            }
            double value = Cubic(rows[0], rows[1], rows[2], rows[3], dy);
            to[c] =
                value <= 0.0 ? (byte)0
                : value >= 255.0 ? (byte)255
                : (byte)value;
        }
    }

    private static double Cubic(double v1, double v2, double v3, double v4, double d)
    {
        double p2 = -v1 + v3;
        double p3 = 2 * (v1 - v2) + v3 - v4;
        double p4 = -v1 + v2 - v3 + v4;
        return v2 + d * (p2 + d * (p3 + d * p4));
    }
}
