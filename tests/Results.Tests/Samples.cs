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
        var table = new Table(schema);
        for (int r = 0; r < rows; r++)
        {
            int row = r;
            table.Add([.. schema.Columns.Select((c, i) => c.Nullable && (row + i) % 3 == 0 ? null : Value(c, row, i))]);
        }
        return table;
    }

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
