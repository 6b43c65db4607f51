using System.Buffers;

namespace LutNative.Results;

/// <summary>A row where it lies: in a row group's columns.</summary>
/// <param name="Key">Of its table's key, see <see cref="RowKeys"/>.</param>
internal readonly record struct RowAt(ColumnValues[] Columns, int Row, UInt128 Key);

/// <summary>
/// What tells a table's rows apart, in 16 bytes a row: a hash of the key's cells (FNV-1a). Two keys of a run's 10^7
/// rows have one hash once in 10^24 runs; whoever makes two of them on purpose has a file that is refused.
/// </summary>
internal sealed class RowKeys
{
    private readonly int[] columns;
    private readonly TableSchema schema;
    private readonly HashSet<UInt128> seen = [];
    private readonly ArrayBufferWriter<byte> cell = new();

    private RowKeys(TableSchema schema, int[] columns)
    {
        this.schema = schema;
        this.columns = columns;
    }

    /// <summary>Null where rows of the table need no key.</summary>
    internal static RowKeys? Of(TableSchema schema) =>
        schema.Key is { } key
            ? new RowKeys(
                schema,
                [.. Enumerable.Range(0, schema.Columns.Count).Where(c => key.Contains(schema.Columns[c]))]
            )
            : null;

    internal UInt128 Of(ColumnValues[] values, int row)
    {
        cell.ResetWrittenCount();
        var hash = new UInt128(0x6c62272e07bb0142, 0x62b821756295c58d);
        var prime = new UInt128(0x0000000001000000, 0x000000000000013b);
        foreach (int c in columns)
        {
            int before = cell.WrittenCount;
            values[c].AppendTo(cell, row);
            // the length ends a cell: "a", "bc" is not "ab", "c"
            hash = (hash ^ (uint)(cell.WrittenCount - before)) * prime;
        }
        foreach (byte b in cell.WrittenSpan)
            hash = (hash ^ b) * prime;
        return hash;
    }

    /// <summary>False for a key that was there before.</summary>
    internal bool Add(UInt128 key) => seen.Add(key);

    /// <summary>The first of these rows whose key was there before, for people; null when there is none.</summary>
    internal string? FirstTwice(ColumnValues[] values)
    {
        for (int r = 0; r < values[0].Count; r++)
            if (!Add(Of(values, r)))
                return Describe(values, r);
        return null;
    }

    internal string Describe(ColumnValues[] values, int row) =>
        columns.Length == 0
            ? "a row"
            : string.Join(" ", columns.Select(c => $"{schema.Columns[c].Name}={Table.Show(values[c][row])}"));
}
