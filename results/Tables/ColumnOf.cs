using System.Reflection;

namespace LutNative.Results;

/// <summary>Makes a record's columns: which types a property may have, and how a file holds each.</summary>
/// <typeparam name="TRow">The record.</typeparam>
internal static class ColumnOf<TRow>
    where TRow : class
{
    // csharpier-ignore-start - a table
    internal static Column<TRow> Property(PropertyInfo p) =>
        p.PropertyType switch
        {
            var t when t == typeof(int) => Number<int>(p, ColumnType.Int32),
            var t when t == typeof(long) => Number<long>(p, ColumnType.Int64),
            var t when t == typeof(float) => Number<float>(p, ColumnType.Float32),
            var t when t == typeof(double) => Number<double>(p, ColumnType.Float64),
            var t when t == typeof(bool) => Number<bool>(p, ColumnType.Bool),
            var t when t == typeof(int?) => NumberOrNull<int>(p, ColumnType.Int32),
            var t when t == typeof(long?) => NumberOrNull<long>(p, ColumnType.Int64),
            var t when t == typeof(float?) => NumberOrNull<float>(p, ColumnType.Float32),
            var t when t == typeof(double?) => NumberOrNull<double>(p, ColumnType.Float64),
            var t when t == typeof(Bits32) => Number<Bits32, uint>(p, ColumnType.UInt32, b => b.Value, v => new(v)),
            var t when t == typeof(Bits64) => Number<Bits64, long>(p, ColumnType.Int64, b => b.Value, v => new(v)),
            var t when t == typeof(Bits32?) =>
                new Column<TRow, Bits32?, uint?>(p, ColumnType.UInt32,
                    b => b?.Value, v => v is { } x ? new Bits32(x) : null, c => new NumberOrNullValues<uint>(c)),
            var t when t == typeof(DateTime) =>
                new Column<TRow, DateTime, DateTime>(p, ColumnType.Timestamp, v => v, v => v, c => new TimeValues(c)),
            var t when t == typeof(RunId) =>
                new Column<TRow, RunId, string?>(p, ColumnType.Text,
                    r => r.Text, v => new RunId(v!), c => new TextValues(c)),
            var t when t == typeof(string) =>
                new Column<TRow, string?, string?>(p, ColumnType.Text, v => v, v => v, c => new TextValues(c)),
            var t when t == typeof(byte[]) =>
                new Column<TRow, byte[]?, byte[]?>(p, ColumnType.Blob, v => v, v => v, c => new BlobValues(c)),
            var t when t == typeof(DigestBytes) =>
                new Column<TRow, DigestBytes, byte[]?>(p, ColumnType.Blob,
                    d => d.ToArray(), v => new DigestBytes(v!), c => new BlobValues(c)),
            var t when t == typeof(DigestBytes?) =>
                new Column<TRow, DigestBytes?, byte[]?>(p, ColumnType.Blob,
                    d => d?.ToArray(), v => v is null ? null : new DigestBytes(v), c => new BlobValues(c)),
            var t => throw new NotSupportedException($"{typeof(TRow).Name}.{p.Name}: no column holds a {t.Name}"),
        };
    // csharpier-ignore-end

    private static Column<TRow, T, T> Number<T>(PropertyInfo p, ColumnType type)
        where T : unmanaged => new(p, type, v => v, v => v, c => new NumberValues<T>(c));

    private static Column<TRow, TProperty, T> Number<TProperty, T>(
        PropertyInfo p,
        ColumnType type,
        Func<TProperty, T> store,
        Func<T, TProperty> load
    )
        where T : unmanaged => new(p, type, store, load, c => new NumberValues<T>(c));

    private static Column<TRow, T?, T?> NumberOrNull<T>(PropertyInfo p, ColumnType type)
        where T : unmanaged => new(p, type, v => v, v => v, c => new NumberOrNullValues<T>(c));
}
