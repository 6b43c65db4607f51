namespace LutNative.Results;

/// <summary>
/// The headers of a column's pages, walked one after the other as Parquet.Net will: each inside of its column, together
/// as many values as the footer says, none larger when unpacked than it says. Zstandard and Snappy carry their own
/// size, which Parquet.Net takes at its word: it is looked at too.
/// </summary>
internal static class ParquetPages
{
    private const int DataPage = 0;
    private const int DictionaryPage = 2;
    private const int DataPageV2 = 3;
    private const int Uncompressed = 0;
    private const int Snappy = 1;
    private const int Zstd = 6;
    private const int FirstWindow = 4096;
    private const int LargestHeader = 16 << 20;

    /// <summary>Blocks of Zstandard whose frame has no size are allowed for as whole.</summary>
    private const long Slack = 1 << 20;

    /// <param name="left">Bytes that pages may still claim; what these claim is taken off.</param>
    internal static void Check(Stream file, ParquetChunk chunk, ref long left)
    {
        long at = chunk.Start;
        long end = chunk.Start + chunk.Length;
        long values = 0;
        bool dictionary = false;
        while (at < end)
        {
            var header = Header(file, chunk, ref at, end);
            long type = header.Number(1);
            long uncompressed = header.Number(2);
            long compressed = header.Number(3);
            if (compressed < 0 || compressed > end - at)
                throw Bad($"a page of {chunk} claims {compressed} bytes, {end - at} are left");
            if (uncompressed < 0 || uncompressed > left)
                throw Bad($"a page of {chunk} claims {uncompressed} bytes unpacked, {left} are left to the file");
            left -= uncompressed;
            switch (type)
            {
                case DictionaryPage:
                    if (dictionary || values > 0)
                        throw Bad($"{chunk} has a dictionary that does not come first");
                    dictionary = true;
                    // an entry takes a byte at least
                    if (One(header, 7, chunk).Number(1) is var entries && (entries < 0 || entries > uncompressed))
                        throw Bad($"the dictionary of {chunk} claims {entries} entries in {uncompressed} bytes");
                    Packed(file, chunk, at, compressed, uncompressed);
                    break;
                case DataPage:
                    values += Values(One(header, 5, chunk).Number(1), chunk, values);
                    Packed(file, chunk, at, compressed, uncompressed);
                    break;
                case DataPageV2:
                    var v2 = One(header, 8, chunk);
                    long count = Values(v2.Number(1), chunk, values);
                    long levels = v2.Number(5) + v2.Number(6);
                    if (
                        v2.Number(2) < 0
                        || v2.Number(2) > count
                        || v2.Number(5) < 0
                        || v2.Number(6) < 0
                        || levels > Math.Min(compressed, uncompressed)
                    )
                        throw Bad($"a page of {chunk} has {v2.Number(2)} nulls and {levels} bytes of levels");
                    values += count;
                    if (!v2.Has(7) || v2.Number(7) == 1)
                        Packed(file, chunk, at + levels, compressed - levels, uncompressed - levels);
                    break;
                default:
                    throw Bad($"a page of {chunk} is of kind {type}");
            }
            at += compressed;
        }
        if (values != chunk.Values)
            throw Bad($"the pages of {chunk} have {values} values, the footer says {chunk.Values}");
    }

    private static ThriftRecord Header(Stream file, ParquetChunk chunk, ref long at, long end)
    {
        // most headers are short; one whose statistics hold long values is not
        for (long window = FirstWindow; ; window *= 16)
        {
            byte[] bytes = new byte[Math.Min(Math.Min(window, LargestHeader), end - at)];
            file.Position = at;
            file.ReadExactly(bytes);
            var walker = new ThriftWalker(bytes);
            try
            {
                var header = walker.Structure(ParquetLayout.PageHeader);
                at += walker.Position;
                return header;
            }
            catch (DamagedParquetException e)
            {
                if (!walker.RanOut || bytes.Length < window)
                    throw Bad($"a page header of {chunk} is damaged: {e.Message}");
            }
        }
    }

    private static ThriftRecord One(ThriftRecord header, int field, ParquetChunk chunk) =>
        header.Has(field) ? header.Structures(field)[0] : throw Bad($"a page of {chunk} lacks the header of its kind");

    private static long Values(long n, ParquetChunk chunk, long before) =>
        n >= 0 && n <= chunk.Values - before
            ? n
            : throw Bad($"a page of {chunk} claims {n} values after {before} of {chunk.Values}");

    /// <summary>A page's own word for its size must not be larger than its header's.</summary>
    private static void Packed(Stream file, ParquetChunk chunk, long at, long compressed, long uncompressed)
    {
        if (compressed == 0 && uncompressed == 0)
            return;
        file.Position = at;
        if (chunk.Codec == Uncompressed && compressed != uncompressed)
            throw Bad($"a page of {chunk} is not packed, yet has {compressed} bytes for {uncompressed}");
        if (chunk.Codec == Snappy && SnappySize(file, compressed) is var s && s != uncompressed)
            throw Bad($"a page of {chunk} unpacks to {s} bytes, its header says {uncompressed}");
        if (chunk.Codec == Zstd && ZstdFrames.Bound(file, compressed) is var z && z > 2 * uncompressed + Slack)
            throw Bad($"a page of {chunk} unpacks to {z} bytes, its header says {uncompressed}");
    }

    private static long SnappySize(Stream file, long compressed)
    {
        long size = 0;
        for (int i = 0; i < Math.Min(5, compressed); i++)
        {
            int b = file.ReadByte();
            size |= (long)(b & 0x7f) << (7 * i);
            if (b < 0x80)
                return size;
        }
        return -1;
    }

    private static DamagedParquetException Bad(FormattableString why) => new(FormattableString.Invariant(why));
}
