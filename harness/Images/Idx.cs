using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// IDX files (images 0x00000803, labels 0x00000801), gzipped or not. The header is read first and says how many bytes
/// may follow: memory is taken for those, and a file that holds (or unpacks to) others is refused.
/// </summary>
public static class Idx
{
    private const int ImageHeader = 16;
    private const int LabelHeader = 8;
    private const int LargestSide = 4096;

    // a byte of gzip gives at most 1032 of deflate's output: a claim beyond that is one that the file cannot keep
    private const long MostExpansion = 1032;

    /// <param name="most">Bytes that an image file may have, its header included.</param>
    /// <exception cref="LutError">Missing, unreadable, or not what its header promises.</exception>
    public static GrayImages Read(string imagesPath, string labelsPath, int most = 1 << 30)
    {
        uint size = 0;
        byte[] images = Load(
            imagesPath,
            ImageHeader,
            header =>
            {
                if (Word(header, 0) != 0x803)
                    throw new InvalidDataException("it does not begin with 00000803, the mark of an IDX image file");
                uint count = Word(header, 4);
                uint rows = Word(header, 8);
                uint columns = Word(header, 12);
                size = rows;
                if (
                    rows == columns
                    && rows is > 0 and <= LargestSide
                    && (ulong)count * rows * columns <= (ulong)(most - ImageHeader)
                )
                    return (int)(count * rows * columns);
                throw new InvalidDataException(
                    $"its header promises {count} images of {rows} x {columns}: squares of 1 to {LargestSide} "
                        + $"pixels and {most} bytes in all are read"
                );
            },
            out byte[] imageHeader
        );
        uint expected = Word(imageHeader, 4);
        byte[] labels = Load(
            labelsPath,
            LabelHeader,
            header =>
            {
                if (Word(header, 0) != 0x801)
                    throw new InvalidDataException("it does not begin with 00000801, the mark of an IDX label file");
                return Word(header, 4) == expected
                    ? (int)expected
                    : throw new InvalidDataException($"it promises {Word(header, 4)} labels for {expected} images");
            },
            out byte[] labelHeader
        );
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] part in new[] { imageHeader, images, labelHeader, labels })
            hash.AppendData(part);
        return new GrayImages(images, [.. labels], (int)size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static uint Word(byte[] header, int at) => BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(at));

    /// <summary>What follows the header, as long as the header says.</summary>
    private static byte[] Load(string path, int headerLength, Func<byte[], int> lengthOf, out byte[] header)
    {
        string file =
            File.Exists(path) ? path
            : File.Exists(path + ".gz") ? path + ".gz"
            : throw DataSetErrors.NoIdxFile(path);
        try
        {
            using var stored = FileKind.Open(file);
            bool packed = stored.ReadByte() == 0x1f && stored.ReadByte() == 0x8b;
            stored.Position = 0;
            using Stream from = packed ? new GZipStream(stored, CompressionMode.Decompress) : stored;
            header = new byte[headerLength];
            if (from.ReadAtLeast(header, headerLength, throwOnEndOfStream: false) < headerLength)
                throw new InvalidDataException($"it has less than the {headerLength} bytes of its header");
            int length = lengthOf(header);
            if (length > stored.Length * (packed ? MostExpansion : 1))
                throw new InvalidDataException($"its header promises {length} bytes, more than the file can hold");
            byte[] body = new byte[length];
            int had = from.ReadAtLeast(body, length, throwOnEndOfStream: false);
            if (had < length)
                throw new InvalidDataException(
                    $"its header promises {length} bytes, which is not the {had} bytes that follow"
                );
            if (from.ReadByte() >= 0)
                throw new InvalidDataException($"its header promises {length} bytes, and more follow");
            return body;
        }
        catch (InvalidDataException e)
        {
            throw DataSetErrors.InvalidIdx(file, e.Message);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw DataSetErrors.UnreadableIdx(file, e.Message);
        }
    }
}
