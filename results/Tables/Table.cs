using System.Globalization;
using System.Text;

namespace LutNative.Results;

/// <summary>Rows of some table in memory, for what treats all tables alike.</summary>
public abstract class Table
{
    public abstract TableSchema Schema { get; }

    public abstract int Count { get; }

    /// <summary>The rows, whatever their table.</summary>
    public abstract IReadOnlyList<IRow> Records { get; }

    public abstract void Clear();

    /// <summary>
    /// SHA-256 over the exact columns of the rows, little-endian, in row order: depends on neither Parquet's encoding
    /// nor the writer, so two laboratories can compare by mailing one line.
    /// </summary>
    /// <param name="minor">The schema's minor version: columns that came later are left out, as they were then.</param>
    public string ContentSha256(int minor = Results.Schema.Minor) => Hashes(minor).Content;

    /// <summary>The same over all columns: what a file was written with, whatever it means.</summary>
    public string RowsSha256(int minor = Results.Schema.Minor) => Hashes(minor).Rows;

    /// <summary>All rows, column by column.</summary>
    internal abstract ColumnValues[] ByColumn();

    /// <summary>Rows that a file held: whatever they are, they stay.</summary>
    internal abstract void AddRead(ColumnValues[] columns);

    internal (string Content, string Rows) Hashes(int minor)
    {
        using var hashes = new TableHashes(Schema, minor);
        hashes.Append(ByColumn());
        return hashes.Finish();
    }

    /// <summary>A value for people: floats so that they read back, blobs in hex.</summary>
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

/// <summary>Rows of one table in memory.</summary>
public sealed class Table<TRow> : Table
    where TRow : class, IRow
{
    private readonly List<TRow> rows = [];

    public Table() { }

    public Table(IEnumerable<TRow> rows) => AddRange(rows);

    public override TableSchema<TRow> Schema => TableSchema<TRow>.Instance;

    public override int Count => rows.Count;

    public override IReadOnlyList<IRow> Records => rows;

    public IReadOnlyList<TRow> Rows => rows;

    /// <summary>Null when there is none.</summary>
    public TRow? First => rows.Count > 0 ? rows[0] : null;

    /// <exception cref="ArgumentException">A value is null where none may be.</exception>
    public void Add(TRow row) => rows.Add(Storable(row));

    /// <exception cref="ArgumentException">A value is null where none may be.</exception>
    public void AddRange(IEnumerable<TRow> more)
    {
        foreach (var row in more)
            Add(row);
    }

    internal override void AddRead(ColumnValues[] columns) => rows.AddRange(Schema.Rows(columns));

    public override void Clear() => rows.Clear();

    internal override ColumnValues[] ByColumn() => [.. Schema.Typed.Select(c => c.Of(rows))];

    /// <summary>
    /// The row, its text in ASCII: Parquet's string statistics are ordered differently by different readers unless keys
    /// are.
    /// </summary>
    private TRow Storable(TRow row)
    {
        bool plain = true;
        foreach (var c in Schema.Typed)
        {
            if (c.Type is not (ColumnType.Text or ColumnType.Blob))
                continue;
            object? value = c.Value(row);
            if (value is null && !c.Nullable)
                throw new ArgumentException($"{Schema.Name}.{c.Name} must not be null");
            plain &= value is not string text || Ascii.IsValid(text);
        }
        if (plain)
            return row;
        ColumnValues[] columns = [.. Schema.Typed.Select(c => c.Of([row]))];
        foreach (var text in columns.OfType<TextValues>().Where(t => t.Cells[0] is not null))
            text.Cells[0] = string.Concat(text.Cells[0]!.Select(ch => ch < 128 ? ch : '?'));
        return Schema.Rows(columns)[0];
    }
}
