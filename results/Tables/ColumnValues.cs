using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Parquet;
using Parquet.Schema;

namespace LutNative.Results;

/// <summary>
/// A column of some rows, as a file holds it: one array, whose cells are written, read, hashed and compared by their
/// bytes (little-endian; UTF-8; microseconds of a time). A null has none.
/// </summary>
internal abstract class ColumnValues
{
    internal abstract int Count { get; }

    /// <summary>The cell as a value; boxed, for people and other formats.</summary>
    internal abstract object? this[int row] { get; }

    internal abstract bool IsNull(int row);

    /// <summary>Appends a cell's bytes, of a null nothing.</summary>
    internal abstract void AppendTo(ArrayBufferWriter<byte> to, int row);

    /// <summary>Equal bytes, or both null.</summary>
    internal abstract bool Same(int row, ColumnValues other, int otherRow);

    /// <summary>Fills all cells from a row group.</summary>
    internal abstract Task ReadAsync(ParquetRowGroupReader group, DataField field);

    internal abstract Task WriteAsync(ParquetRowGroupWriter group, DataField field);
}

/// <param name="cells">Of type <typeparamref name="T"/>, which is nullable where the column is.</param>
internal abstract class ColumnValues<T>(T[] cells) : ColumnValues
{
    internal T[] Cells { get; } = cells;

    internal override int Count => Cells.Length;

    internal override object? this[int row] => Cells[row];

    internal override bool IsNull(int row) => Cells[row] is null;

    internal override bool Same(int row, ColumnValues other, int otherRow) =>
        Same(Cells[row], ((ColumnValues<T>)other).Cells[otherRow]);

    /// <summary>Equal bytes, or both null.</summary>
    protected abstract bool Same(T a, T b);
}

/// <summary>Numbers: their bytes in memory are those of the file.</summary>
internal sealed class NumberValues<T>(T[] cells) : ColumnValues<T>(cells)
    where T : unmanaged
{
    internal override void AppendTo(ArrayBufferWriter<byte> to, int row) => to.Write(BytesOf(in Cells[row]));

    internal static ReadOnlySpan<byte> BytesOf(ref readonly T cell) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in cell));

    protected override bool Same(T a, T b) => BytesOf(in a).SequenceEqual(BytesOf(in b));

    internal override Task ReadAsync(ParquetRowGroupReader group, DataField field) =>
        group.ReadAsync(field, Cells.AsMemory()).AsTask();

    internal override Task WriteAsync(ParquetRowGroupWriter group, DataField field) =>
        group.WriteAsync<T>(field, Cells.AsMemory());
}

/// <summary>Numbers of which some are null.</summary>
internal sealed class NumberOrNullValues<T>(T?[] cells) : ColumnValues<T?>(cells)
    where T : unmanaged
{
    internal override void AppendTo(ArrayBufferWriter<byte> to, int row)
    {
        if (Cells[row] is { } cell)
            to.Write(NumberValues<T>.BytesOf(in cell));
    }

    protected override bool Same(T? a, T? b) =>
        a is { } x && b is { } y
            ? NumberValues<T>.BytesOf(in x).SequenceEqual(NumberValues<T>.BytesOf(in y))
            : a is null && b is null;

    internal override Task ReadAsync(ParquetRowGroupReader group, DataField field) =>
        group.ReadAsync<T>(field, Cells.AsMemory()).AsTask();

    internal override Task WriteAsync(ParquetRowGroupWriter group, DataField field) =>
        group.WriteAsync<T>(field, Cells.AsMemory());
}

/// <summary>Times, of which a file keeps microseconds.</summary>
internal sealed class TimeValues(DateTime[] cells) : ColumnValues<DateTime>(cells)
{
    internal override void AppendTo(ArrayBufferWriter<byte> to, int row)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to.GetSpan(sizeof(long)), Microseconds(Cells[row]));
        to.Advance(sizeof(long));
    }

    protected override bool Same(DateTime a, DateTime b) => Microseconds(a) == Microseconds(b);

    private static long Microseconds(DateTime t) => t.Ticks / TimeSpan.TicksPerMicrosecond;

    internal override Task ReadAsync(ParquetRowGroupReader group, DataField field) =>
        group.ReadAsync(field, Cells.AsMemory()).AsTask();

    internal override Task WriteAsync(ParquetRowGroupWriter group, DataField field) =>
        group.WriteAsync<DateTime>(field, Cells.AsMemory());
}

internal sealed class TextValues(string?[] cells) : ColumnValues<string?>(cells)
{
    internal override void AppendTo(ArrayBufferWriter<byte> to, int row)
    {
        if (Cells[row] is { } cell)
            Encoding.UTF8.GetBytes(cell, to);
    }

    protected override bool Same(string? a, string? b) => string.Equals(a, b, StringComparison.Ordinal);

    internal override Task ReadAsync(ParquetRowGroupReader group, DataField field) =>
        group.ReadAsync(field, Cells.AsMemory()).AsTask();

    internal override Task WriteAsync(ParquetRowGroupWriter group, DataField field) => group.WriteAsync(field, Cells);
}

internal sealed class BlobValues(byte[]?[] cells) : ColumnValues<byte[]?>(cells)
{
    internal override void AppendTo(ArrayBufferWriter<byte> to, int row) => to.Write(Cells[row]);

    protected override bool Same(byte[]? a, byte[]? b) => a is null == b is null && a.AsSpan().SequenceEqual(b);

    internal override Task ReadAsync(ParquetRowGroupReader group, DataField field) =>
        group.ReadAsync(field, Cells.AsMemory()).AsTask();

    internal override Task WriteAsync(ParquetRowGroupWriter group, DataField field) => group.WriteAsync(field, Cells);
}
