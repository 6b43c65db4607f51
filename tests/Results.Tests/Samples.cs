using System.Reflection;
using System.Runtime.CompilerServices;

namespace LutNative.Results.Tests;

/// <summary>
/// Rows with every awkward value: NaN payloads, -0, denormals, infinities, nulls, empty blobs, long text.
/// </summary>
internal static class Samples
{
    internal static readonly uint[] FloatBits =
    [
        0,
        0x80000000,
        1,
        0x7f800000,
        0xff800000,
        0x7fc00000,
        0x7fa12345,
        0xffc00001,
        0x3f800000,
        0x00800000,
        0x7f7fffff,
    ];

    internal static Table Fill(TableSchema schema, int rows)
    {
        var table = schema.NewTable();
        var typed = typeof(Samples).GetMethod(nameof(FillTyped), BindingFlags.NonPublic | BindingFlags.Static)!;
        typed.MakeGenericMethod(table.GetType().GetGenericArguments()).Invoke(null, [table, rows]);
        return table;
    }

    internal static Table<TRow> Fill<TRow>(TableSchema<TRow> schema, int rows)
        where TRow : class, IRow
    {
        var table = schema.NewTable();
        FillTyped(table, rows);
        return table;
    }

    /// <summary>One event at a time in ns.</summary>
    internal static Table<EventRow> Event(long at, string key = "k") =>
        new([
            new EventRow
            {
                RunId = new RunId("r"),
                TNs = at,
                Key = key,
                Stage = "s",
                Step = null,
                Value = "v",
            },
        ]);

    /// <summary>The first of such rows.</summary>
    internal static TRow Row<TRow>(TableSchema<TRow> schema)
        where TRow : class, IRow => Fill(schema, 1).Rows[0];

    private static void FillTyped<TRow>(Table<TRow> table, int rows)
        where TRow : class, IRow
    {
        for (int r = 0; r < rows; r++)
        {
            var row = (TRow)RuntimeHelpers.GetUninitializedObject(typeof(TRow));
            for (int i = 0; i < table.Schema.Columns.Count; i++)
            {
                var c = table.Schema.Columns[i];
                var property = typeof(TRow).GetProperty(c.Property)!;
                property.SetValue(
                    row,
                    c.Nullable && (r + i) % 3 == 0 ? null : As(property.PropertyType, Value(c, r, i))
                );
            }
            table.Add(row);
        }
    }

    private static object As(Type property, object value) =>
        (Nullable.GetUnderlyingType(property) ?? property) switch
        {
            var t when t == typeof(RunId) => new RunId((string)value),
            var t when t == typeof(Bits32) => new Bits32((uint)value),
            var t when t == typeof(Bits64) => new Bits64((long)value),
            var t when t == typeof(DigestBytes) => new DigestBytes((byte[])value),
            _ => value,
        };

    private static object Value(Column c, int r, int i) =>
        c.Type switch
        {
            ColumnType.Int32 => r * 7 - 3,
            ColumnType.Int64 => (long)r << 33,
            ColumnType.UInt32 => FloatBits[(r + i) % FloatBits.Length],
            ColumnType.Float32 => BitConverter.UInt32BitsToSingle(FloatBits[(r + i) % FloatBits.Length]),
            ColumnType.Float64 => r == 0 ? double.NaN : r / 3.0,
            ColumnType.Bool => r % 2 == 0,
            ColumnType.Text => c.Name == "run_id" ? "run-1" : $"{c.Name} {r}",
            ColumnType.Blob => Enumerable.Range(0, r % 5 * 4).Select(x => (byte)(x * r)).ToArray(),
            _ => new DateTime(2026, 11, 23, 6, 0, r % 60, DateTimeKind.Utc),
        };
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lut-results-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
