using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;

namespace LutNative.Harness.Data;

/// <summary>
/// IDX files (images 0x00000803, labels 0x00000801), gzipped or not. Declared sizes are checked against the data before anything is allocated for them.
/// </summary>
public static class Idx
{
    public static GrayImages Read(string imagesPath, string labelsPath)
    {
        byte[] images = Load(imagesPath), labels = Load(labelsPath);
        if (images.Length < 16 || BinaryPrimitives.ReadUInt32BigEndian(images) != 0x803) throw Bad(imagesPath, "it does not begin with 00000803, the mark of an IDX image file");
        if (labels.Length < 8 || BinaryPrimitives.ReadUInt32BigEndian(labels) != 0x801) throw Bad(labelsPath, "it does not begin with 00000801, the mark of an IDX label file");
        uint count = BinaryPrimitives.ReadUInt32BigEndian(images.AsSpan(4)), rows = BinaryPrimitives.ReadUInt32BigEndian(images.AsSpan(8)), columns = BinaryPrimitives.ReadUInt32BigEndian(images.AsSpan(12));
        if (rows != columns || rows is 0 or > 4096 || (ulong)count * rows * columns != (ulong)(images.Length - 16))
            throw Bad(imagesPath, $"its header promises {count} images of {rows} x {columns}, which is not the {images.Length - 16} bytes that follow");
        if (BinaryPrimitives.ReadUInt32BigEndian(labels.AsSpan(4)) != count || labels.Length - 8 != count)
            throw Bad(labelsPath, $"it holds {labels.Length - 8} labels for {count} images");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(images);
        hash.AppendData(labels);
        return new GrayImages(images[16..], [.. labels[8..]], (int)rows, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static byte[] Load(string path)
    {
        string file = File.Exists(path) ? path : File.Exists(path + ".gz") ? path + ".gz"
            : throw new LutError(Exit.Data, 1, $"the data file {Path.GetFileName(path)} is missing", Path.GetFullPath(path), "it is looked for as it is named and with .gz", "check --data, or the installation for the embedded subset");
        try
        {
            byte[] raw = File.ReadAllBytes(file);
            if (raw.Length < 2 || raw[0] != 0x1f || raw[1] != 0x8b) return raw;
            using var gzip = new GZipStream(new MemoryStream(raw), CompressionMode.Decompress);
            using var to = new MemoryStream();
            byte[] buffer = new byte[1 << 16];
            for (int n; (n = gzip.Read(buffer)) > 0;)
            {
                if (to.Length + n > 1L << 30) throw Bad(file, "it decompresses to more than 1 GiB");
                to.Write(buffer, 0, n);
            }
            return to.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw Bad(file, $"the gzip stream is damaged ({e.Message})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(Exit.Data, 2, $"cannot read {file}", Path.GetFullPath(file), e.Message, "check the path and its permissions");
        }
    }

    private static LutError Bad(string path, string why) =>
        new(Exit.Data, 3, $"{Path.GetFileName(path)} is not a valid IDX file", Path.GetFullPath(path), why + "; it may be truncated or damaged", "restore the file from its source");
}
