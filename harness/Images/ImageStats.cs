using System.Buffers.Binary;

namespace LutNative.Harness.Images;

/// <summary>
/// What a set consists of: kinds, sizes, and the mean and deviation of each channel that a protocol's normalisation
/// needs. They are those of all pixels of all decoded images, u/255, each pixel once (a large image counts more); the
/// deviation is the population's. Sums are of whole numbers, so threads and order change nothing.
/// </summary>
public sealed class ImageStats
{
    private readonly Lock adding = new();
    private readonly List<(int Width, int Height)> sizes = [];
    private readonly UInt128[] sum = new UInt128[3];
    private readonly UInt128[] squares = new UInt128[3];
    private UInt128 pixels;

    /// <summary>How many images there are of each kind.</summary>
    public SortedDictionary<string, int> Kinds { get; } = new(StringComparer.Ordinal);

    /// <summary>Of red, green and blue, in [0, 1].</summary>
    public double[] Mean => [.. sum.Select(s => pixels == 0 ? 0 : (double)s / (255.0 * (double)pixels))];

    /// <summary>Of red, green and blue, in [0, 0.5].</summary>
    public double[] Deviation =>
        [
            .. sum.Zip(
                squares,
                (s, q) => pixels == 0 ? 0 : Math.Sqrt((double)(pixels * q - s * s)) / (255.0 * (double)pixels)
            ),
        ];

    /// <summary>Least, median (the upper of two) and most, in pixels; zeros for an empty set.</summary>
    public (int Least, int Median, int Most) Of(Func<(int Width, int Height), int> side)
    {
        int[] all = [.. sizes.Select(side).Order()];
        return all.Length == 0 ? default : (all[0], all[all.Length / 2], all[^1]);
    }

    /// <summary>Any thread may add.</summary>
    public void Add(string kind, Picture picture)
    {
        Span<ulong> s = stackalloc ulong[3];
        Span<ulong> q = stackalloc ulong[3];
        for (int i = 0; i < picture.Data.Length; i += 3)
        for (int c = 0; c < 3; c++)
        {
            uint v = picture.Data[i + c];
            s[c] += v;
            q[c] += v * v;
        }
        lock (adding)
        {
            sizes.Add((picture.Width, picture.Height));
            Kinds[kind] = Kinds.GetValueOrDefault(kind) + 1;
            pixels += (UInt128)((long)picture.Width * picture.Height);
            for (int c = 0; c < 3; c++)
                (sum[c], squares[c]) = (sum[c] + s[c], squares[c] + q[c]);
        }
    }

    /// <summary>
    /// The kind of a file that was decoded, by its header: JPEG or PNG, and what it stores a pixel as.
    /// </summary>
    public static string KindOf(ReadOnlySpan<byte> file)
    {
        if (file[0] != 0xff)
            return file[25] switch
            {
                0 => "PNG gray",
                2 => "PNG RGB",
                3 => "PNG palette",
                4 => "PNG gray with alpha",
                _ => "PNG RGB with alpha",
            };
        for (int at = 2; at + 10 <= file.Length; )
        {
            byte marker = file[at + 1];
            if (file[at] != 0xff || marker == 0xff)
            {
                at++;
                continue;
            }
            // a frame's header: its last byte read here is the number of components
            if (marker is >= 0xc0 and <= 0xcf and not (0xc4 or 0xc8 or 0xcc))
                return (marker == 0xc2 ? "JPEG progressive " : "JPEG ")
                    + file[at + 9] switch
                    {
                        1 => "gray",
                        4 => "CMYK",
                        _ => "colour",
                    };
            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
        }
        return "JPEG";
    }
}
