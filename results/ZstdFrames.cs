using System.Buffers.Binary;

namespace LutNative.Results;

/// <summary>How much memory Zstandard's decoder will ask for. Source: RFC 8878, sections 3.1.1 and 3.1.2.</summary>
internal static class ZstdFrames
{
    private const uint FrameMagic = 0xfd2fb528;
    private const uint SkippableMagic = 0x184d2a50;
    private const int LargestBlock = 128 << 10;
    private const int ChecksumBytes = 4;

    /// <summary>
    /// Of all frames in the next bytes: the content size that a frame gives, or all of its blocks as large as they can
    /// be.
    /// </summary>
    /// <exception cref="DamagedParquetException">The bytes are not whole frames.</exception>
    internal static long Bound(Stream file, long length)
    {
        long at = file.Position;
        long end = at + length;
        long bound = 0;
        while (at < end)
        {
            uint magic = (uint)Number(file, ref at, end, 4);
            if ((magic & 0xfffffff0) == SkippableMagic)
                Pass(ref at, end, Number(file, ref at, end, 4));
            else if (magic == FrameMagic)
                bound = Math.Min(long.MaxValue / 4, bound + Frame(file, ref at, end));
            else
                throw Bad("a page is not packed by Zstandard, as its column says");
        }
        return bound;
    }

    private static long Frame(Stream file, ref long at, long end)
    {
        int descriptor = (int)Number(file, ref at, end, 1);
        bool single = (descriptor & 0x20) != 0;
        bool checksum = (descriptor & 4) != 0;
        if (!single)
            Pass(ref at, end, 1);
        Pass(
            ref at,
            end,
            (descriptor & 3) switch
            {
                3 => 4,
                var d => d,
            }
        );
        int sizeBytes = (descriptor >> 6) switch
        {
            0 => single ? 1 : 0,
            1 => 2,
            2 => 4,
            _ => 8,
        };
        long size = sizeBytes == 0 ? -1 : Number(file, ref at, end, sizeBytes) + (sizeBytes == 2 ? 256 : 0);
        long blocks = 0;
        for (bool last = false; !last; blocks++)
        {
            long header = Number(file, ref at, end, 3);
            last = (header & 1) != 0;
            const int Rle = 1;
            Pass(ref at, end, (header >> 1 & 3) == Rle ? 1 : header >> 3);
        }
        if (checksum)
            Pass(ref at, end, ChecksumBytes);
        // a size of eight bytes may look negative: it is beyond any limit
        return sizeBytes == 0 ? blocks * LargestBlock
            : size < 0 ? long.MaxValue / 4
            : Math.Min(size, long.MaxValue / 4);
    }

    private static long Number(Stream file, ref long at, long end, int bytes)
    {
        Span<byte> number = stackalloc byte[8];
        number.Clear();
        long from = at;
        Pass(ref at, end, bytes);
        file.Position = from;
        file.ReadExactly(number[..bytes]);
        return BinaryPrimitives.ReadInt64LittleEndian(number);
    }

    private static void Pass(ref long at, long end, long bytes)
    {
        if (bytes > end - at)
            throw Bad("a page ends in the middle of what Zstandard packed");
        at += bytes;
    }

    private static DamagedParquetException Bad(string why) => new(why);
}
