using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LutNative.Results;

/// <summary>
/// The two hashes of a table's rows, made as the rows come: row by row each cell's length (-1 for null) and its bytes,
/// of the exact columns (content) and of all of them (rows).
/// </summary>
internal sealed class TableHashes : IDisposable
{
    private const int Often = 1 << 16;
    private readonly IncrementalHash contentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash rowsHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> content = new(2 * Often);
    private readonly ArrayBufferWriter<byte> rows = new(2 * Often);
    private readonly int[] columns;
    private readonly bool[] exact;

    /// <param name="minor">Columns that came later are left out, as they were then.</param>
    internal TableHashes(TableSchema schema, int minor)
    {
        columns = [.. Enumerable.Range(0, schema.Columns.Count).Where(c => schema.Columns[c].Since <= minor)];
        exact = [.. columns.Select(c => schema.Columns[c].Exact)];
    }

    /// <param name="values">All columns of some rows.</param>
    internal void Append(ColumnValues[] values)
    {
        for (int r = 0; r < values[0].Count; r++)
        {
            for (int c = 0; c < columns.Length; c++)
            {
                int before = rows.WrittenCount;
                Append(values[columns[c]], r);
                if (exact[c])
                    content.Write(rows.WrittenSpan[before..]);
            }
            if (rows.WrittenCount >= Often)
                Flush();
        }
        Flush();
    }

    internal (string Content, string Rows) Finish() => (Hex(contentHash), Hex(rowsHash));

    public void Dispose()
    {
        contentHash.Dispose();
        rowsHash.Dispose();
    }

    private void Append(ColumnValues column, int row)
    {
        int before = rows.WrittenCount;
        rows.GetSpan(sizeof(int));
        rows.Advance(sizeof(int));
        column.AppendTo(rows, row);
        int length = column.IsNull(row) ? -1 : rows.WrittenCount - before - sizeof(int);
        BinaryPrimitives.WriteInt32LittleEndian(WrittenFrom(before), length);
    }

    /// <summary>The bytes that were written, to write the length in front of them.</summary>
    private Span<byte> WrittenFrom(int at) =>
        System.Runtime.InteropServices.MemoryMarshal.AsMemory(rows.WrittenMemory).Span[at..];

    private void Flush()
    {
        contentHash.AppendData(content.WrittenSpan);
        rowsHash.AppendData(rows.WrittenSpan);
        content.ResetWrittenCount();
        rows.ResetWrittenCount();
    }

    private static string Hex(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset());
}
