namespace LutNative.Harness.Images;

/// <summary>Labelled images in a fixed order. Any thread may read any image.</summary>
public abstract class ImageSource
{
    public int Count => Labels.Length;

    /// <summary>The class of each image, from 0.</summary>
    public abstract int[] Labels { get; }

    /// <summary>What the images and labels are, in their order: part of a run's data_hash.</summary>
    public abstract string Sha256 { get; }

    /// <summary>Image i; valid until this thread reads another.</summary>
    /// <exception cref="ImageException">It cannot be read, or is not what was indexed.</exception>
    public abstract Picture Read(int i);
}

/// <summary>Gray images of one size in memory.</summary>
public sealed class GrayImages(byte[] pixels, int[] labels, int size, string sha256) : ImageSource
{
    [ThreadStatic]
    private static Picture? read;

    public override int[] Labels { get; } = labels;
    public override string Sha256 { get; } = sha256;
    public int Size { get; } = size;

    public ReadOnlySpan<byte> Gray(int i) => pixels.AsSpan(i * Size * Size, Size * Size);

    public override Picture Read(int i)
    {
        if (read is null || read.Width != Size)
            read = new Picture(Size, Size);
        read.SetGray(Gray(i));
        return read;
    }

    public GrayImages First(int count) =>
        count == Count ? this : new GrayImages(pixels[..(count * Size * Size)], Labels[..count], Size, Sha256);
}
