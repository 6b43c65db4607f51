using System.Buffers.Binary;
using System.IO.Compression;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// What libpng's answer leaves open about a PNG: why a damaged one cannot be decoded, and whether a palette has a
/// colour for every pixel (the standard calls it an error; decoders differ in what they show). Rows are unpacked one at
/// a time.
/// </summary>
internal sealed class PngCheck : IDisposable
{
    private const int Signature = 8;
    private const int PaletteType = 3;
    private const int AdlerModulus = 65521;

    // Adam7: where each pass begins and its steps, as (x, y, dx, dy); without interlacing there is one pass
    private static readonly (int X, int Y, int Dx, int Dy)[] Adam7 =
    [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];
    private static readonly (int X, int Y, int Dx, int Dy)[] Whole = [(0, 0, 1, 1)];
    private static readonly uint[] CrcTable =
    [
        .. Enumerable
            .Range(0, 256)
            .Select(n =>
                Enumerable.Range(0, 8).Aggregate((uint)n, (c, _) => (c & 1) != 0 ? 0xedb88320 ^ c >> 1 : c >> 1)
            ),
    ];

    private readonly MemoryStream packed = new();
    private int width;
    private int height;
    private int depth;
    private int colours = -1;
    private byte type;
    private bool interlaced;
    private bool ended;
    private string? fault;

    private PngCheck(ReadOnlySpan<byte> file, bool sums)
    {
        for (int at = Signature; at + 12 <= file.Length && !ended; )
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            if (length > file.Length - at - 12)
                break;
            var name = file.Slice(at + 4, 4);
            var body = file.Slice(at + 8, (int)length);
            if (
                sums
                && Crc(file.Slice(at + 4, (int)length + 4))
                    != BinaryPrimitives.ReadUInt32BigEndian(file[(at + 8 + (int)length)..])
            )
                fault ??= $"the checksum of its chunk {Shown.Bytes(name)} is wrong";
            if (name.SequenceEqual("IHDR"u8) && length == 13)
            {
                width = BinaryPrimitives.ReadInt32BigEndian(body);
                height = BinaryPrimitives.ReadInt32BigEndian(body[4..]);
                depth = body[8];
                type = body[9];
                interlaced = body[12] == 1;
            }
            else if (name.SequenceEqual("PLTE"u8))
                colours = (int)length / 3;
            else if (name.SequenceEqual("IDAT"u8))
                packed.Write(body);
            else if (name.SequenceEqual("IEND"u8))
                ended = true;
            at += 12 + (int)length;
        }
    }

    /// <summary>Why a PNG that cannot be decoded is damaged, in words.</summary>
    internal static string Why(ReadOnlySpan<byte> file)
    {
        using var png = new PngCheck(file, sums: true);
        return png.fault ?? (!png.ended ? "it is truncated" : png.Sums() ?? "it is damaged");
    }

    /// <summary>
    /// An index that the palette has no colour for, or null: all is well, or this is no palette image.
    /// </summary>
    internal static string? PaletteFault(ReadOnlySpan<byte> file)
    {
        if (file.Length < 26 || file[25] != PaletteType)
            return null;
        using var png = new PngCheck(file, sums: false);
        if (
            png.depth is not (1 or 2 or 4 or 8)
            || png.colours < 0
            || png.colours >= 1 << png.depth
            || png.width <= 0
            || png.height <= 0
        )
            return null;
        int most = png.LargestIndex();
        return most < png.colours ? null : $"it is damaged: a pixel has colour {most} of a palette of {png.colours}";
    }

    private (int Width, int Height) PassSize((int X, int Y, int Dx, int Dy) p) =>
        ((width - p.X + p.Dx - 1) / p.Dx, (height - p.Y + p.Dy - 1) / p.Dy);

    private long RowBytes(int columns) =>
        (
            (long)columns
                * depth
                * (
                    type switch
                    {
                        2 => 3,
                        4 => 2,
                        6 => 4,
                        _ => 1,
                    }
                )
            + 7
        ) / 8;

    /// <summary>Is it all there but for the sum at its end?</summary>
    private string? Sums()
    {
        if (packed.Length < 6)
            return "it is truncated";
        long expected = (interlaced ? Adam7 : Whole)
            .Select(PassSize)
            .Sum(p => p is { Width: > 0, Height: > 0 } ? p.Height * (1 + RowBytes(p.Width)) : 0);
        byte[] part = new byte[1 << 14];
        uint a = 1;
        uint b = 0;
        long total = 0;
        try
        {
            packed.Position = 2;
            using var rows = new DeflateStream(packed, CompressionMode.Decompress, leaveOpen: true);
            for (int n; total <= expected && (n = rows.Read(part)) > 0; total += n)
                foreach (byte x in part.AsSpan(0, n))
                {
                    a = (a + x) % AdlerModulus;
                    b = (b + a) % AdlerModulus;
                }
        }
        catch (InvalidDataException)
        {
            return null;
        }
        if (total < expected)
            return "it is truncated";
        uint stored = BinaryPrimitives.ReadUInt32BigEndian(packed.GetBuffer().AsSpan((int)packed.Length - 4));
        return total == expected && stored != (b << 16 | a) ? "its checksum is wrong" : null;
    }

    /// <summary>Of the rows that can be unpacked: what is missing, the decoder refuses.</summary>
    private int LargestIndex()
    {
        int most = 0;
        try
        {
            packed.Position = 0;
            using var from = new ZLibStream(packed, CompressionMode.Decompress, leaveOpen: true);
            foreach (var (columns, rows) in (interlaced ? Adam7 : Whole).Select(PassSize))
            {
                if (columns <= 0 || rows <= 0)
                    continue;
                byte[] row = new byte[1 + RowBytes(columns)];
                byte[] above = new byte[row.Length];
                for (int y = 0; y < rows; y++)
                {
                    from.ReadExactly(row);
                    Unfilter(row, above);
                    most = Math.Max(most, Largest(row.AsSpan(1), columns));
                    (row, above) = (above, row);
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return most;
        }
        return most;
    }

    private int Largest(ReadOnlySpan<byte> row, int columns)
    {
        int most = 0;
        int perByte = 8 / depth;
        int mask = (1 << depth) - 1;
        for (int x = 0; x < columns; x++)
            most = Math.Max(most, row[x / perByte] >> (8 - depth * (x % perByte + 1)) & mask);
        return most;
    }

    /// <summary>
    /// The filters of the standard for samples of at most a byte: the neighbour to the left is the byte before.
    /// </summary>
    private static void Unfilter(byte[] row, byte[] above)
    {
        for (int i = 1; i < row.Length; i++)
        {
            int left = i > 1 ? row[i - 1] : 0;
            int up = above[i];
            int corner = i > 1 ? above[i - 1] : 0;
            row[i] += (byte)(
                row[0] switch
                {
                    1 => left,
                    2 => up,
                    3 => (left + up) / 2,
                    4 => Paeth(left, up, corner),
                    _ => 0,
                }
            );
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        int p = left + up - corner;
        int a = Math.Abs(p - left);
        int b = Math.Abs(p - up);
        int c = Math.Abs(p - corner);
        return a <= b && a <= c ? left
            : b <= c ? up
            : corner;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint c = uint.MaxValue;
        foreach (byte x in bytes)
            c = CrcTable[(byte)(c ^ x)] ^ c >> 8;
        return ~c;
    }

    public void Dispose() => packed.Dispose();
}
