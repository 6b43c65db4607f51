using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LutNative.Harness.Images;

public enum ResampleFilter
{
    Bilinear,
    Bicubic,
}

/// <summary>
/// Pillow's antialiased resize for 8-bit images: weights in double, normalised, rounded to 22-bit fixed point, a
/// horizontal pass and a vertical pass with 8-bit values between. Behaviour of Pillow 9.4 src/libImaging/Resample.c,
/// equal bit for bit (golden/images).
/// </summary>
public static class Resampling
{
    private const int Bits = 32 - 8 - 2;

    /// <summary>
    /// torchvision's Resize(size): the shorter side becomes size, the other size*long/short truncated; same size
    /// returns the image.
    /// </summary>
    public static Picture ResizeShorter(Picture p, int size, ResampleFilter filter)
    {
        var (w, h) = Shorter(p.Width, p.Height, size);
        return Resize(p, w, h, filter);
    }

    /// <summary>Width and height after <see cref="ResizeShorter"/>.</summary>
    public static (int Width, int Height) Shorter(int width, int height, int size) =>
        (
            width <= height ? size : (int)((double)size * width / height),
            width <= height ? (int)((double)size * height / width) : size
        );

    public static Picture Resize(Picture p, int width, int height, ResampleFilter filter) =>
        Resize(p, width, height, filter, 0, 0, width, height);

    /// <summary>
    /// The part [top, top + rows) x [left, left + columns) of the resized image, and no more work than it needs.
    /// </summary>
    public static Picture Resize(
        Picture p,
        int width,
        int height,
        ResampleFilter filter,
        int left,
        int top,
        int columns,
        int rows
    )
    {
        if (width == p.Width && height == p.Height)
            return p.Crop(top, left, rows, columns);
        if (height == p.Height)
            return Horizontal(p, Weights(p.Width, width, filter).AsSpan(left, columns), top, rows);
        var down = Weights(p.Height, height, filter).AsSpan(top, rows);
        if (width == p.Width)
            return Vertical(p.Crop(0, left, p.Height, columns), down, 0);
        int first = down[0].First;
        int last = down[^1].First + down[^1].K.Length;
        return Vertical(
            Horizontal(p, Weights(p.Width, width, filter).AsSpan(left, columns), first, last - first),
            down,
            first
        );
    }

    private static (int First, int[] K)[] Weights(int input, int output, ResampleFilter filter)
    {
        double scale = (double)input / output;
        double stretch = Math.Max(scale, 1.0);
        double support = (filter == ResampleFilter.Bicubic ? 2.0 : 1.0) * stretch;
        double inverse = 1.0 / stretch;
        var all = new (int, int[])[output];
        for (int o = 0; o < output; o++)
        {
            double centre = (o + 0.5) * scale;
            double sum = 0.0;
            int first = Math.Max((int)(centre - support + 0.5), 0);
            int last = Math.Min((int)(centre + support + 0.5), input);
            var w = new double[last - first];
            for (int i = 0; i < w.Length; i++)
                sum += w[i] = Value(filter, (i + first - centre + 0.5) * inverse);
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
        if (filter == ResampleFilter.Bilinear)
            return x < 1.0 ? 1.0 - x : 0.0;
        const double A = -0.5;
        return x < 1.0 ? ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
            : x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * A
            : 0.0;
    }

    /// <summary>
    /// Rows [top, top + rows), four at a time: a row's pixels are four integers of a vector (the fourth is not used),
    /// so a weight serves twelve values.
    /// </summary>
    private static unsafe Picture Horizontal(Picture p, ReadOnlySpan<(int First, int[] K)> weights, int top, int rows)
    {
        var r = new Picture(weights.Length, rows);
        int stride = 3 * p.Width;
        int pitch = 3 * r.Width;
        fixed (
            byte* source = p.Data,
                target = r.Data
        )
        {
            byte* end = source + p.Data.Length - 4;
            for (int y = 0; y < rows; y += 4)
            {
                int lines = Math.Min(4, rows - y);
                byte* a = source + (top + y) * stride;
                byte* b = a + (lines > 1 ? stride : 0);
                byte* c = b + (lines > 2 ? stride : 0);
                byte* d = c + (lines > 3 ? stride : 0);
                for (int x = 0; x < weights.Length; x++)
                {
                    var (first, k) = weights[x];
                    var sum = Vector512.Create(1 << (Bits - 1));
                    int at = 3 * first;
                    if (d + at + 3 * k.Length <= end)
                        // no pixel is the picture's last
                        foreach (int weight in k)
                        {
                            sum +=
                                Widen(
                                    Vector128
                                        .Create(*(uint*)(a + at), *(uint*)(b + at), *(uint*)(c + at), *(uint*)(d + at))
                                        .AsByte()
                                ) * weight;
                            at += 3;
                        }
                    else
                        for (int i = 0; i < k.Length; i++, at += 3)
                            sum +=
                                Widen(
                                    Vector128
                                        .Create(
                                            Pixel(a + at, end),
                                            Pixel(b + at, end),
                                            Pixel(c + at, end),
                                            Pixel(d + at, end)
                                        )
                                        .AsByte()
                                ) * k[i];
                    var v = Clip(sum).AsUInt32();
                    byte* to = target + y * pitch + 3 * x;
                    Put(to, v[0]);
                    if (lines > 1)
                        Put(to + pitch, v[1]);
                    if (lines > 2)
                        Put(to + 2 * pitch, v[2]);
                    if (lines > 3)
                        Put(to + 3 * pitch, v[3]);
                }
            }
        }
        return r;
    }

    /// <summary>Three bytes and whatever follows; at the very end of the picture three bytes and 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe uint Pixel(byte* at, byte* end) =>
        at <= end ? *(uint*)at : (uint)(at[0] | at[1] << 8 | at[2] << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Put(byte* to, uint pixel)
    {
        *(ushort*)to = (ushort)pixel;
        to[2] = (byte)(pixel >> 16);
    }

    /// <param name="first">The row of the whole image that p begins with.</param>
    private static unsafe Picture Vertical(Picture p, ReadOnlySpan<(int First, int[] K)> weights, int first)
    {
        var r = new Picture(p.Width, weights.Length);
        int stride = p.Width * 3;
        fixed (
            byte* source = p.Data,
                target = r.Data
        )
            for (int y = 0; y < weights.Length; y++)
            {
                var (row, k) = weights[y];
                byte* from = source + (row - first) * stride;
                byte* to = target + y * stride;
                int x = 0;
                for (; x + 16 <= stride; x += 16)
                {
                    var sum = Vector512.Create(1 << (Bits - 1));
                    for (int i = 0; i < k.Length; i++)
                        sum += Widen(Vector128.Load(from + i * stride + x)) * k[i];
                    Clip(sum).Store(to + x);
                }
                for (; x < stride; x++)
                {
                    int sum = 1 << (Bits - 1);
                    for (int i = 0; i < k.Length; i++)
                        sum += from[i * stride + x] * k[i];
                    to[x] = (byte)Math.Clamp(sum >> Bits, 0, 255);
                }
            }
        return r;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Widen(Vector128<byte> v)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ConvertToVector512Int32(v);
        var (low, high) = Vector128.Widen(v);
        var wide = Vector256.Create(low, high);
        var (a, b) = Vector256.Widen(wide);
        return Vector512.Create(a, b).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Clip(Vector512<int> sum)
    {
        var v = Vector512.Min(Vector512.Max(sum >> Bits, Vector512<int>.Zero), Vector512.Create(255)).AsUInt32();
        var half = Vector256.Narrow(v.GetLower(), v.GetUpper());
        return Vector128.Narrow(half.GetLower(), half.GetUpper());
    }
}
