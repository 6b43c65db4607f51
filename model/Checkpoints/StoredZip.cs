using System.Buffers.Binary;
using System.Text;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// Where the entries of a zip file lie. torch.save stores them as they are, so a tensor can be read in place; an entry
/// that is compressed cannot, and none of torch's is.
/// Format: PKWARE APPNOTE 6.3.10, 4.3 (records) and 4.5.3 (zip64).
/// </summary>
internal sealed class StoredZip
{
    private const int EndBytes = 22;
    private const int MostComment = ushort.MaxValue;
    private const int DirectoryBytes = 46;
    private const int LocalBytes = 30;
    private const int Zip64LocatorBytes = 20;
    private const int Zip64EndBytes = 56;

    /// <summary>Three hundred thousand entries of the length that torch gives them.</summary>
    private const long MostDirectory = 32L << 20;

    private readonly TensorFile file;
    private readonly Dictionary<string, (long Header, long Bytes, bool Stored)> entries = new(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">
    /// It is no zip file, or one whose records contradict each other.
    /// </exception>
    internal StoredZip(TensorFile file)
    {
        this.file = file;
        ReadDirectory();
    }

    internal IEnumerable<string> Names => entries.Keys;

    /// <summary>Where an entry's bytes lie in the file; null when there is none of that name.</summary>
    internal (long Offset, long Bytes)? Find(string name)
    {
        if (!entries.TryGetValue(name, out var e))
            return null;
        if (!e.Stored)
            throw new InvalidDataException(
                $"{name} is compressed, which torch.save never does; unpack the file and save it again with torch.save"
            );
        if (e.Header > file.Length - LocalBytes)
            throw new InvalidDataException($"{name} lies beyond the file's end");
        byte[] local = file.Bytes(e.Header, LocalBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(local) != 0x04034b50)
            throw new InvalidDataException($"{name} has no header where the directory says");
        long at =
            e.Header
            + LocalBytes
            + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(26))
            + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(28));
        if (e.Bytes > file.Length - at)
            throw new InvalidDataException(
                FormattableString.Invariant($"{name} claims {e.Bytes} bytes of a file of {file.Length}")
            );
        return (at, e.Bytes);
    }

    private void ReadDirectory()
    {
        int tail = (int)Math.Min(file.Length, EndBytes + MostComment);
        byte[] last = file.Bytes(file.Length - tail, tail);
        int end = last.AsSpan().LastIndexOf("PK\x05\x06"u8);
        if (end < 0 || end + EndBytes > last.Length)
            throw new InvalidDataException("the directory at its end is missing; it may be truncated");
        long size = BinaryPrimitives.ReadUInt32LittleEndian(last.AsSpan(end + 12));
        long at = BinaryPrimitives.ReadUInt32LittleEndian(last.AsSpan(end + 16));
        if (end >= Zip64LocatorBytes && last.AsSpan(end - Zip64LocatorBytes).StartsWith("PK\x06\x07"u8))
        {
            long record = BinaryPrimitives.ReadInt64LittleEndian(last.AsSpan(end - Zip64LocatorBytes + 8));
            if (record < 0 || record > file.Length - Zip64EndBytes)
                throw new InvalidDataException("its zip64 record lies beyond the file's end");
            byte[] large = file.Bytes(record, Zip64EndBytes);
            if (!large.AsSpan().StartsWith("PK\x06\x06"u8))
                throw new InvalidDataException("its zip64 record is not where it says");
            (size, at) = (
                BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(40)),
                BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(48))
            );
        }
        if (size < 0 || at < 0 || at > file.Length - size)
            throw new InvalidDataException(
                FormattableString.Invariant($"its directory claims {size} bytes at {at} of a file of {file.Length}")
            );
        if (size > MostDirectory)
            throw new InvalidDataException(
                FormattableString.Invariant(
                    $"its directory claims {size} bytes, and {MostDirectory} are the most that is read"
                )
            );
        ReadOnlySpan<byte> directory = file.Bytes(at, size);
        while (directory.Length >= DirectoryBytes && directory.StartsWith("PK\x01\x02"u8))
            directory = directory[Add(directory)..];
        if (entries.Count == 0)
            throw new InvalidDataException("its directory is empty");
    }

    /// <summary>Returns the record's length.</summary>
    private int Add(ReadOnlySpan<byte> record)
    {
        int name = BinaryPrimitives.ReadUInt16LittleEndian(record[28..]);
        int extra = BinaryPrimitives.ReadUInt16LittleEndian(record[30..]);
        int comment = BinaryPrimitives.ReadUInt16LittleEndian(record[32..]);
        int all = DirectoryBytes + name + extra + comment;
        if (all > record.Length)
            throw new InvalidDataException("a record of its directory does not end");
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(record[8..]);
        ushort method = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]);
        long packed = BinaryPrimitives.ReadUInt32LittleEndian(record[20..]);
        long bytes = BinaryPrimitives.ReadUInt32LittleEndian(record[24..]);
        long header = BinaryPrimitives.ReadUInt32LittleEndian(record[42..]);
        for (var field = record.Slice(DirectoryBytes + name, extra); field.Length >= 4; )
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(field[2..]);
            if (4 + length > field.Length)
                break;
            if (BinaryPrimitives.ReadUInt16LittleEndian(field) == 1)
            {
                // of these three only those are here whose place in the record is full
                var rest = field.Slice(4, length);
                Take(ref bytes, ref rest);
                Take(ref packed, ref rest);
                Take(ref header, ref rest);
            }
            field = field[(4 + length)..];
        }
        if (bytes < 0 || packed < 0 || header < 0)
            throw new InvalidDataException("a record of its directory has a negative size");
        string path = Encoding.UTF8.GetString(record.Slice(DirectoryBytes, name));
        bool stored = method == 0 && (flags & 1) == 0 && packed == bytes;
        if (!entries.TryAdd(path, (header, bytes, stored)))
            throw new InvalidDataException($"{path} appears twice");
        return all;
    }

    private static void Take(ref long value, ref ReadOnlySpan<byte> from)
    {
        if (value != uint.MaxValue || from.Length < 8)
            return;
        value = BinaryPrimitives.ReadInt64LittleEndian(from);
        from = from[8..];
    }
}
