using System.Globalization;
using System.Text;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>A regular file inside a tar file.</summary>
/// <param name="Offset">Of its first byte in the tar file.</param>
internal readonly record struct TarEntry(string Name, long Offset, long Length);

/// <summary>A tar file that is not read, and why.</summary>
internal sealed class TarException(string why) : Exception(why);

/// <summary>
/// The regular files of a tar file (v7, ustar, GNU and pax names) in order, without their contents. It is strict where
/// readers differ, so that no entry is seen by one and not by another: links, sparse files, devices, sizes that
/// contradict each other, a missing end and anything after the end are refused.
/// </summary>
internal sealed class TarFile(Stream stream)
{
    private const int Block = 512;
    private const int LongestName = 1 << 16;
    private const int LongestPax = 1 << 20;
    private const long MostOctal = 0x1_ffff_ffff; // eleven octal digits

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly byte[] header = new byte[Block];
    private string? longName;
    private string? paxName;
    private long? paxSize;

    /// <exception cref="TarException">It is not such a file, or one that is refused.</exception>
    internal IEnumerable<TarEntry> Files()
    {
        RefuseOtherFormats();
        long at = 0;
        while (true)
        {
            ReadBlock(at);
            if (header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                break;
            CheckSum(at);
            long claimed = Number(124, 12, "its size");
            long size = claimed;
            byte type = header[156];
            bool describesNext = type is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K';
            string name = describesNext ? "" : paxName ?? longName ?? HeaderName();
            if (!describesNext && paxSize is { } said)
                size = Agreed(name, claimed, said);
            long data = at + Block;
            long next = data + (size + Block - 1) / Block * Block;
            if (size > stream.Length - data)
                throw new TarException(
                    $"{Shown.Name(name)} claims {size} bytes, more than the file has: it is truncated or damaged"
                );
            if (describesNext)
                Describe(type, data, size);
            else
            {
                (longName, paxName, paxSize) = (null, null, null);
                bool folder = type == (byte)'5' || (type is 0 or (byte)'0' && name.EndsWith('/'));
                if (!folder)
                    RefuseUnlessRegular(type, name, size);
                if (!folder)
                    yield return new TarEntry(name, data, size);
                if (folder)
                    next = data; // a folder has no contents, whatever its size says
            }
            at = next;
        }
        RefuseAfterEnd(at + Block);
    }

    private void RefuseOtherFormats()
    {
        Span<byte> head = stackalloc byte[6];
        stream.Position = 0;
        int n = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (n == 0)
            throw new TarException("the file is empty");
        string? kind = head switch
        {
            [0x1f, 0x8b, ..] => "a gzip file",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "a zstd file",
            [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "an xz file",
            [(byte)'B', (byte)'Z', (byte)'h', ..] => "a bzip2 file",
            [0x04, 0x22, 0x4d, 0x18, ..] => "an lz4 file",
            [(byte)'P', (byte)'K', 3, 4, ..] => "a zip file",
            _ => null,
        };
        if (kind is not null)
            throw new TarException($"it is {kind}; unpack it first: images are read where they lie");
    }

    private void ReadBlock(long at)
    {
        stream.Position = at;
        int n = stream.ReadAtLeast(header, Block, throwOnEndOfStream: false);
        if (n == 0)
            throw new TarException("it ends without the block of zeros that ends a tar file: it may be truncated");
        if (n < Block)
            throw new TarException($"it is truncated inside the header at byte {at}");
    }

    private void CheckSum(long at)
    {
        long sum = 0;
        for (int i = 0; i < Block; i++)
            sum += i is >= 148 and < 156 ? ' ' : header[i];
        if (Number(148, 8, "its checksum") != sum)
            throw new TarException($"there is no tar header at byte {at}: its checksum is wrong");
    }

    /// <summary>Octal digits, or GNU's binary number after 0x80.</summary>
    private long Number(int at, int length, string what)
    {
        var field = header.AsSpan(at, length);
        long value = 0;
        if (field[0] == 0x80)
        {
            foreach (byte b in field[1..])
            {
                if (value > long.MaxValue >> 9)
                    throw new TarException($"{what} is too large");
                value = value << 8 | b;
            }
            return value;
        }
        var digits = Encoding.ASCII.GetString(field).Trim(' ', '\0');
        foreach (char c in digits)
        {
            if (c is < '0' or > '7')
                throw new TarException($"{what} is not a number: {Shown.Name(digits)}");
            value = value * 8 + (c - '0');
        }
        return value;
    }

    private string HeaderName()
    {
        string name = Text(header.AsSpan(0, 100));
        // POSIX: a prefix for long paths; GNU uses the place for something else
        return
            header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) && Text(header.AsSpan(345, 155)) is { Length: > 0 } prefix
            ? prefix + "/" + name
            : name;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        if (end >= 0)
            field = field[..end];
        try
        {
            return Utf8.GetString(field);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(field); // another name for each: none is lost, and none is opened by it
        }
    }

    /// <summary>A size in a pax header is for what the header's eleven digits cannot hold; elsewhere it says the same,
    /// or two readers see two files.</summary>
    private static long Agreed(string name, long claimed, long said) =>
        said == claimed || (said > MostOctal && claimed is 0 or MostOctal)
            ? said
            : throw new TarException(
                $"{Shown.Name(name)} has two sizes, {claimed} in its header and {said} in its pax header"
            );

    private void Describe(byte type, long data, long size)
    {
        if (size > (type is (byte)'L' or (byte)'K' ? LongestName : LongestPax))
            throw new TarException($"a header of {size} bytes at byte {data - Block}");
        byte[] bytes = new byte[size];
        stream.Position = data;
        stream.ReadExactly(bytes);
        if (type == (byte)'L')
            longName = Text(bytes);
        else if (type != (byte)'K')
            Pax(bytes, everywhere: type == (byte)'g');
    }

    /// <summary>Lines "LENGTH KEY=VALUE\n", each with its own length in decimal.</summary>
    private void Pax(ReadOnlySpan<byte> records, bool everywhere)
    {
        while (records.Length > 0)
        {
            int space = records.IndexOf((byte)' ');
            if (
                space is < 1 or > 7
                || !int.TryParse(records[..space], NumberStyles.None, CultureInfo.InvariantCulture, out int length)
                || length <= space + 1
                || length > records.Length
                || records[length - 1] != '\n'
            )
                throw new TarException("a pax header is damaged");
            var record = records[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals < 1)
                throw new TarException("a pax header is damaged");
            string key = Text(record[..equals]);
            var value = record[(equals + 1)..];
            if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
                throw new TarException(
                    $"{(paxName is null ? "an entry" : Shown.Name(paxName))} is a sparse file: its bytes do not lie "
                        + $"in order. Make the shard without --sparse"
                );
            if (everywhere && key is "path" or "size")
                throw new TarException($"a global pax header sets {key} of every entry");
            if (key == "path")
                paxName = Text(value);
            else if (key == "size")
                paxSize = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long size)
                    ? size
                    : throw new TarException("a size in a pax header is not a number");
            records = records[length..];
        }
    }

    private static void RefuseUnlessRegular(byte type, string name, long size)
    {
        string? what = type switch
        {
            0 or (byte)'0' or (byte)'7' => null,
            (byte)'1' => "a hard link",
            (byte)'2' => "a symbolic link",
            (byte)'3' or (byte)'4' => "a device",
            (byte)'6' => "a pipe",
            (byte)'S' => "a sparse file",
            (byte)'M' => "the rest of a file in another tar file",
            _ => $"an entry of type {Shown.Name(((char)type).ToString())} ({size} bytes)",
        };
        if (what is not null)
            throw new TarException(
                $"{Shown.Name(name)} is {what}; only files are read. Make the shard with the files themselves (tar "
                    + $"--dereference --hard-dereference)"
            );
    }

    /// <summary>After the end only zeros: `cat a.tar b.tar` hides b from most readers.</summary>
    private void RefuseAfterEnd(long at)
    {
        byte[] rest = new byte[1 << 16];
        stream.Position = at;
        for (int n; (n = stream.Read(rest)) > 0; at += n)
            if (rest.AsSpan(0, n).IndexOfAnyExcept((byte)0) is var i and >= 0)
                throw new TarException(
                    $"something follows its end, at byte {at + i}: joined tar files are seen whole by some readers "
                        + $"only. Give each shard a file of its own (or tar --concatenate)"
                );
    }
}
