using System.Buffers.Binary;

namespace LutNative.Harness.Images.Jpeg;

/// <summary>One component of a frame: how its blocks lie.</summary>
/// <param name="Wide">Blocks in a row that carry data: of the component's own size, rounded up.</param>
/// <param name="Stride">Blocks in a row, rounded up to whole units of interleaved scans.</param>
internal sealed record JpegComponent(int Id, int Horizontal, int Vertical, int Wide, int High, int Stride, int Rows)
{
    /// <summary>
    /// Of progressive files: which of a block's 64 coefficients are not zero so far; refinement depends on it. [Rows x
    /// Stride]
    /// </summary>
    public ulong[] NonZero { get; init; } = [];

    // the lowest bit of each coefficient that scans have brought so far; -1: none yet
    private readonly sbyte[] known = [.. Enumerable.Repeat((sbyte)-1, 64)];

    /// <summary>
    /// A scan of coefficients first to last down to bit low: does it follow on what came before (T.81 G.1.1.1)?
    /// </summary>
    public bool Progress(int first, int last, int high, int low)
    {
        bool follows = first == 0 || known[0] >= 0;
        for (int k = first; k <= last; k++)
        {
            follows &= high == Math.Max((int)known[k], 0);
            known[k] = (sbyte)low;
        }
        return follows;
    }
}

/// <summary>A frame header (T.81 B.2.2): size and components.</summary>
internal sealed class JpegFrame
{
    private JpegFrame(bool progressive, int mcusWide, int mcusHigh, JpegComponent[] components)
    {
        Progressive = progressive;
        McusWide = mcusWide;
        McusHigh = mcusHigh;
        Components = components;
    }

    public bool Progressive { get; }
    public int McusWide { get; }
    public int McusHigh { get; }
    public JpegComponent[] Components { get; }

    /// <returns>Null where the header is not one.</returns>
    public static JpegFrame? Read(ReadOnlySpan<byte> body, bool progressive)
    {
        if (body.Length < 6)
            return null;
        int height = BinaryPrimitives.ReadUInt16BigEndian(body[1..]);
        int width = BinaryPrimitives.ReadUInt16BigEndian(body[3..]);
        int count = body[5];
        if (
            width == 0
            || height == 0
            || (long)width * height > Decoder.MostPixels
            || count is < 1 or > 4
            || body.Length < 6 + 3 * count
        )
            return null;
        int widest = 1;
        int highest = 1;
        for (int c = 0; c < count; c++)
        {
            int sampling = body[7 + 3 * c];
            if (sampling >> 4 is < 1 or > 4 || (sampling & 15) is < 1 or > 4)
                return null;
            widest = Math.Max(widest, sampling >> 4);
            highest = Math.Max(highest, sampling & 15);
        }
        int mcusWide = Up(width, 8 * widest);
        int mcusHigh = Up(height, 8 * highest);
        var components = new JpegComponent[count];
        for (int c = 0; c < count; c++)
        {
            int h = body[7 + 3 * c] >> 4;
            int v = body[7 + 3 * c] & 15;
            int stride = mcusWide * h;
            int rows = mcusHigh * v;
            components[c] = new JpegComponent(
                body[6 + 3 * c],
                h,
                v,
                Up(Up(width * h, widest), 8),
                Up(Up(height * v, highest), 8),
                stride,
                rows
            )
            {
                NonZero = progressive ? new ulong[stride * rows] : [],
            };
        }
        return new JpegFrame(progressive, mcusWide, mcusHigh, components);
    }

    private static int Up(int n, int by) => (n + by - 1) / by;
}
