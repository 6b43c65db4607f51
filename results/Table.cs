using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LutNative.Results;

/// <summary>Rows of one table in memory; every value is checked against the schema when it is added.</summary>
public sealed class Table(TableSchema schema)
{
    private readonly List<object?[]> rows = [];

    public TableSchema Schema { get; } = schema;
    public IReadOnlyList<object?[]> Rows => rows;

    public void Add(params object?[] row)
    {
        if (row.Length != Schema.Columns.Count)
            throw new ArgumentException(
                $"table {Schema.Name} has {Schema.Columns.Count} columns, the row {row.Length}"
            );
        for (int i = 0; i < row.Length; i++)
        {
            var c = Schema.Columns[i];
            if (row[i] is null && !c.Nullable)
                throw new ArgumentException($"{Schema.Name}.{c.Name} must not be null");
            if (row[i] is { } v && v.GetType() != ClrType(c.Type))
                throw new ArgumentException($"{Schema.Name}.{c.Name} is {c.Type}, the value a {v.GetType().Name}");
            // Parquet's string statistics are ordered differently by different readers unless keys are ASCII
            if (row[i] is string s && !Ascii.IsValid(s))
                row[i] = string.Concat(s.Select(ch => ch < 128 ? ch : '?'));
        }
        rows.Add(row);
    }

    public void AddRange(Table other) => rows.AddRange(other.rows);

    public void Clear() => rows.Clear();

    public T Get<T>(int row, string column) => (T)rows[row][Schema.IndexOf(column)]!;

    /// <summary>
    /// SHA-256 over the exact columns of the rows, little-endian, in row order: depends on neither Parquet's encoding
    /// nor the writer, so two laboratories can compare by mailing one line.
    /// </summary>
    /// <param name="minor">The schema's minor version: columns that came later are left out, as they were then.</param>
    public string ContentSha256(int minor = Results.Schema.Minor) => Sha256Of(c => c.Exact && c.Since <= minor);

    /// <summary>The same over all columns: what a file was written with, whatever it means.</summary>
    public string RowsSha256(int minor = Results.Schema.Minor) => Sha256Of(c => c.Since <= minor);

    private string Sha256Of(Func<Column, bool> counts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int[] columns = [.. Enumerable.Range(0, Schema.Columns.Count).Where(i => counts(Schema.Columns[i]))];
        foreach (var row in rows)
        foreach (int i in columns)
        {
            byte[] bytes = Bytes(row[i]);
            hash.AppendData(BitConverter.GetBytes(row[i] is null ? -1 : bytes.Length));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    internal static Type ClrType(ColumnType type) =>
        type switch
        {
            ColumnType.Int32 => typeof(int),
            ColumnType.Int64 => typeof(long),
            ColumnType.UInt32 => typeof(uint),
            ColumnType.Float32 => typeof(float),
            ColumnType.Float64 => typeof(double),
            ColumnType.Bool => typeof(bool),
            ColumnType.Text => typeof(string),
            ColumnType.Blob => typeof(byte[]),
            _ => typeof(DateTime),
        };

    /// <summary>The value as its bits; equality of values is equality of these.</summary>
    internal static byte[] Bytes(object? v) =>
        v switch
        {
            null => [],
            int x => BitConverter.GetBytes(x),
            long x => BitConverter.GetBytes(x),
            uint x => BitConverter.GetBytes(x),
            float x => BitConverter.GetBytes(x),
            double x => BitConverter.GetBytes(x),
            bool x => BitConverter.GetBytes(x),
            string x => Encoding.UTF8.GetBytes(x),
            byte[] x => x,
            DateTime x => BitConverter.GetBytes(x.Ticks / TimeSpan.TicksPerMicrosecond), // what a file keeps of it
            _ => throw new ArgumentException(v.GetType().Name),
        };

    /// <summary>A value for people: floats with their bits' sibling beside, blobs in hex.</summary>
    public static string Show(object? v) =>
        v switch
        {
            null => "null",
            byte[] b => Convert.ToHexStringLower(b),
            float f => f.ToString("R", CultureInfo.InvariantCulture),
            double d => d.ToString("R", CultureInfo.InvariantCulture),
            DateTime t => t.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            _ => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "",
        };
}
