using System.Reflection;
using System.Runtime.CompilerServices;

namespace LutNative.Results;

/// <summary>A table: its name, and its columns in the order of the record's properties.</summary>
public abstract class TableSchema
{
    private protected TableSchema(Type row)
    {
        var attribute =
            row.GetCustomAttribute<TableAttribute>() ?? throw new NotSupportedException($"{row.Name} has no [Table]");
        Name = attribute.Name;
        Since = attribute.Since;
        OneRow = attribute.OneRow;
    }

    public string Name { get; }

    /// <summary>The minor version that brought the table.</summary>
    public int Since { get; }

    /// <inheritdoc cref="TableAttribute.OneRow"/>
    public bool OneRow { get; }

    public abstract IReadOnlyList<Column> Columns { get; }

    /// <summary>
    /// The columns that tell rows apart; null where rows need none (events, telemetry, what a machine has).
    /// </summary>
    public IReadOnlyList<Column>? Key =>
        field ??= OneRow || Columns.Any(c => c.Key) ? [.. Columns.Where(c => c.Key)] : null;

    /// <summary>A table without rows.</summary>
    public abstract Table NewTable();

    /// <summary>Rows of these columns, one of each of the schema's.</summary>
    internal abstract IReadOnlyList<IRow> Rows(ColumnValues[] columns);
}

/// <summary>The table whose rows are <typeparamref name="TRow"/>.</summary>
public sealed class TableSchema<TRow> : TableSchema
    where TRow : class, IRow
{
    private TableSchema()
        : base(typeof(TRow)) =>
        Typed = [.. typeof(TRow).GetProperties().Where(IsColumn).Select(ColumnOf<TRow>.Property)];

    internal static TableSchema<TRow> Instance { get; } = new();

    internal Column<TRow>[] Typed { get; }

    public override IReadOnlyList<Column> Columns => Typed;

    public override Table<TRow> NewTable() => new();

    internal override TRow[] Rows(ColumnValues[] columns)
    {
        var rows = new TRow[columns[0].Count];
        for (int r = 0; r < rows.Length; r++)
            rows[r] = Blank();
        for (int c = 0; c < columns.Length; c++)
            Typed[c].Set(rows, columns[c]);
        return rows;
    }

    /// <summary>A record before its properties are set: all of them will be.</summary>
    private static TRow Blank() => (TRow)RuntimeHelpers.GetUninitializedObject(typeof(TRow));

    private static bool IsColumn(PropertyInfo p) => p.IsDefined(typeof(ColumnAttribute));
}
