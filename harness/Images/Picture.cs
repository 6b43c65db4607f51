namespace LutNative.Harness.Images;

/// <summary>An 8-bit RGB image, rows of interleaved pixels, as Pillow's mode "RGB".</summary>
public sealed class Picture(int width, int height)
{
    public int Width { get; } = width;
    public int Height { get; } = height;
    public byte[] Data { get; } = GC.AllocateUninitializedArray<byte>(checked(width * height * 3));

    public Span<byte> Row(int y) => Data.AsSpan(y * Width * 3, Width * 3);

    public static Picture FromRgb(int width, int height, ReadOnlySpan<byte> rgb)
    {
        var p = new Picture(width, height);
        rgb.CopyTo(p.Data);
        return p;
    }

    /// <summary>Gray to RGB: the value three times.</summary>
    public void SetGray(ReadOnlySpan<byte> gray)
    {
        for (int i = 0; i < gray.Length; i++)
            Data[3 * i] = Data[3 * i + 1] = Data[3 * i + 2] = gray[i];
    }

    public Picture Crop(int top, int left, int height, int width)
    {
        var p = new Picture(width, height);
        for (int y = 0; y < height; y++)
            Row(top + y).Slice(left * 3, width * 3).CopyTo(p.Row(y));
        return p;
    }

    /// <summary>torchvision's CenterCrop: round(half) to even, as Python's round.</summary>
    public Picture CenterCrop(int size) => Crop(Middle(Height, size), Middle(Width, size), size, size);

    /// <summary>Where a central part of a length begins.</summary>
    public static int Middle(int length, int part) => (int)Math.Round((length - part) / 2.0, MidpointRounding.ToEven);

    /// <summary>
    /// Crop of size x size at (top, left) of the image padded by pad pixels of reflection (the edge pixel is not
    /// repeated).
    /// </summary>
    public Picture PadReflectCrop(int pad, int top, int left, int size)
    {
        var p = new Picture(size, size);
        PadReflectCrop(p, pad, top, left);
        return p;
    }

    /// <summary>The same into a picture of the crop's size.</summary>
    public void PadReflectCrop(Picture to, int pad, int top, int left)
    {
        for (int y = 0; y < to.Height; y++)
        {
            ReadOnlySpan<byte> from = Row(Reflect(top + y - pad, Height));
            Span<byte> row = to.Row(y);
            for (int x = 0; x < to.Width; x++)
            {
                int source = Reflect(left + x - pad, Width) * 3;
                (row[3 * x], row[3 * x + 1], row[3 * x + 2]) = (from[source], from[source + 1], from[source + 2]);
            }
        }
    }

    public void FlipHorizontally()
    {
        for (int y = 0; y < Height; y++)
        {
            Span<byte> row = Row(y);
            for (int a = 0, b = Width - 1; a < b; a++, b--)
            for (int c = 0; c < 3; c++)
                (row[3 * a + c], row[3 * b + c]) = (row[3 * b + c], row[3 * a + c]);
        }
    }

    /// <summary>
    /// ToTensor and Normalize: planes [C, H, W] of (u/255 - mean)/std, each step one binary32 operation; made once for
    /// each of the 256 values.
    /// </summary>
    public void Normalise(Span<float> planes, ReadOnlySpan<float> mean, ReadOnlySpan<float> std)
    {
        int n = Width * Height;
        Span<float> table = stackalloc float[256];
        for (int c = 0; c < 3; c++)
        {
            for (int v = 0; v < 256; v++)
                table[v] = (v / 255f - mean[c]) / std[c];
            var to = planes.Slice(c * n, n);
            for (int i = 0, at = c; i < to.Length; i++, at += 3)
                to[i] = table[Data[at]];
        }
    }

    private static int Reflect(int i, int n) =>
        i < 0 ? -i
        : i >= n ? 2 * n - 2 - i
        : i;
}
