using System.Buffers.Binary;

namespace LutNative.Results;

/// <summary>A column of a row group: where its pages lie.</summary>
/// <param name="Group">Of the file, from 0.</param>
/// <param name="Column">Of the group, from 0.</param>
/// <param name="Codec">Parquet's number of the compression.</param>
internal sealed record ParquetChunk(int Group, int Column, long Start, long Length, long Values, int Codec)
{
    public override string ToString() => FormattableString.Invariant($"column {Column} of row group {Group}");
}

/// <summary>
/// What a Parquet file's footer says, walked to its last byte and found possible, before Parquet.Net sees it: that
/// library reads on for ever where a number has no end, takes the memory that a list claims, and calls itself as deep
/// as a schema nests.
/// </summary>
internal static class ParquetFooter
{
    /// <summary>Of a footer: ten thousand row groups of ten columns take as much.</summary>
    internal const int MostBytes = 16 << 20;

    private const int TailBytes = 8;
    private const int HeadBytes = 4;
    private const int MostColumns = 10_000;
    private const int DeepestSchema = 32;
    private static ReadOnlySpan<byte> Magic => "PAR1"u8;

    /// <param name="mostUncompressed">Bytes that all pages may claim together.</param>
    /// <exception cref="DamagedParquetException">The footer is not whole, or claims what cannot be.</exception>
    internal static IReadOnlyList<ParquetChunk> Read(Stream file, long mostUncompressed)
    {
        byte[] footer = Bytes(file);
        var walker = new ThriftWalker(footer);
        var meta = walker.Structure(ParquetLayout.FileMetaData);
        if (walker.Position != footer.Length)
            throw Bad(
                $"its footer has {footer.Length} bytes, of which {footer.Length - walker.Position} belong to nothing"
            );
        if (meta.Has(8))
            throw Bad($"it is encrypted");
        bool[] repeated = Leaves(meta.Structures(2));
        long rows = 0;
        long uncompressed = 0;
        long end = file.Length - TailBytes - footer.Length;
        var chunks = new List<ParquetChunk>();
        var groups = meta.Structures(4);
        for (int g = 0; g < groups.Count; g++)
        {
            var columns = groups[g].Structures(1);
            long inGroup = Count(groups[g].Number(3), $"the rows of row group {g}");
            rows += inGroup;
            Size(groups[g].Number(2), $"row group {g}");
            if (columns.Count != repeated.Length)
                throw Bad($"row group {g} has {columns.Count} columns, the schema {repeated.Length}");
            for (int c = 0; c < columns.Count; c++)
            {
                chunks.Add(Chunk(columns[c], g, c, end, repeated[c] ? null : inGroup, out long size));
                // each is a positive number of 63 bits: the sum is looked at before it can overflow
                uncompressed += size;
                if (uncompressed > mostUncompressed)
                    throw Bad(
                        $"its pages claim {uncompressed} bytes, more than the {mostUncompressed} that a file of {file.Length} may take"
                    );
            }
        }
        if (rows != meta.Number(3))
            throw Bad($"its row groups have {rows} rows, the file claims {meta.Number(3)}");
        return chunks;
    }

    private static byte[] Bytes(Stream file)
    {
        if (file.Length < HeadBytes + TailBytes)
            throw Bad($"{file.Length} bytes are no Parquet file");
        Span<byte> ends = stackalloc byte[TailBytes];
        file.Position = 0;
        file.ReadExactly(ends[..HeadBytes]);
        if (!ends[..HeadBytes].SequenceEqual(Magic))
            throw Bad($"it does not begin with PAR1");
        file.Position = file.Length - TailBytes;
        file.ReadExactly(ends);
        if (!ends[4..].SequenceEqual(Magic))
            throw Bad($"it does not end with PAR1: it is truncated, or no Parquet file");
        int length = BinaryPrimitives.ReadInt32LittleEndian(ends);
        if (length <= 0 || length > file.Length - HeadBytes - TailBytes)
            throw Bad($"its footer claims {length} bytes of a file of {file.Length}");
        if (length > MostBytes)
            throw Bad($"its footer claims {length} bytes, more than {MostBytes}");
        byte[] footer = new byte[length];
        file.Position = file.Length - TailBytes - length;
        file.ReadExactly(footer);
        return footer;
    }

    /// <summary>For each column that holds values: may one row hold several?</summary>
    private static bool[] Leaves(IReadOnlyList<ThriftRecord> schema)
    {
        const int Type = 1;
        const int Repetition = 3;
        const int Children = 5;
        const int Repeated = 2;
        if (schema.Count is 0 or > MostColumns)
            throw Bad($"its schema has {schema.Count} elements (1 to {MostColumns} are read)");
        var leaves = new List<bool>();
        var open = new Stack<(long Children, bool Repeated)>(); // groups, and their elements to come
        for (int i = 0; i < schema.Count; i++)
        {
            if (i > 0 && open.Count == 0)
                throw Bad($"its schema has {schema.Count - i} elements that belong to no group");
            bool repeated =
                i > 0
                && (open.Peek().Repeated || (schema[i].Has(Repetition) && schema[i].Number(Repetition) == Repeated));
            long children = schema[i].Number(Children);
            if (children < 0 || children > schema.Count)
                throw Bad($"element {i} of its schema has {children} children");
            if (i > 0)
                open.Push(open.Pop() is var parent ? (parent.Children - 1, parent.Repeated) : default);
            if (i > 0 && schema[i].Has(Type))
            {
                if (children > 0)
                    throw Bad($"element {i} of its schema is a column with children");
                leaves.Add(repeated);
            }
            else
                open.Push((children, repeated));
            if (open.Count > DeepestSchema)
                throw Bad($"its schema is nested more than {DeepestSchema} deep");
            while (open.Count > 0 && open.Peek().Children == 0)
                open.Pop();
        }
        if (open.Count > 0)
            throw Bad($"its schema lacks {open.Peek().Children} elements");
        return [.. leaves];
    }

    private static ParquetChunk Chunk(
        ThriftRecord column,
        int group,
        int index,
        long end,
        long? rows,
        out long uncompressed
    )
    {
        string name = FormattableString.Invariant($"column {index} of row group {group}");
        if (column.Has(1))
            throw Bad($"{name} lies in another file");
        if (column.Has(8))
            throw Bad($"{name} is encrypted");
        var meta = column.Structures(3)[0];
        long values = Count(meta.Number(5), $"the values of {name}");
        long length = meta.Number(7);
        if (rows is { } r && values != r)
            throw Bad($"{name} has {values} values, the row group {r} rows");
        uncompressed = Size(meta.Number(6), name);
        // where Parquet.Net begins: the least of the places that are given
        long start = long.MaxValue;
        foreach (int field in new[] { 9, 10, 11 })
            if (meta.Number(field) != 0)
                start = Math.Min(start, meta.Number(field));
        if (start < HeadBytes || start > end || length < 0 || length > end - start)
            throw Bad($"{name} claims {length} bytes from {start}, its pages end at {end}");
        return new ParquetChunk(group, index, start, length, values, (int)meta.Number(4));
    }

    private static long Count(long n, FormattableString what) =>
        n is >= 0 and <= int.MaxValue ? n : throw Bad($"{FormattableString.Invariant(what)} are {n}");

    private static long Size(long n, FormattableString what) => Size(n, FormattableString.Invariant(what));

    private static long Size(long n, string what) =>
        n is >= 0 and <= long.MaxValue / 2 ? n : throw Bad($"{what} claims {n} bytes");

    private static DamagedParquetException Bad(FormattableString why) => new(FormattableString.Invariant(why));
}
