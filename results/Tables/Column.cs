using System.Reflection;
using Parquet.Schema;

namespace LutNative.Results;

/// <summary>
/// The types of columns. Floats that matter are stored twice: the value, and its bits as an unsigned integer.
/// </summary>
public enum ColumnType
{
    Int32,
    Int64,
    UInt32,
    Float32,
    Float64,
    Bool,
    Text,
    Blob,
    Timestamp,
}

/// <summary>A column, as the property of a row's record describes it (<see cref="ColumnAttribute"/>).</summary>
public abstract class Column
{
    private protected Column(PropertyInfo property, ColumnType type)
    {
        var attribute = property.GetCustomAttribute<ColumnAttribute>()!;
        Property = property.Name;
        Name = InSnakeCase(property.Name);
        Type = type;
        Meaning = attribute.Meaning;
        Exact = attribute.Exact;
        Key = attribute.Key;
        Since = attribute.Since;
        Nullable = MayBeNull(property);
    }

    /// <summary>In files.</summary>
    public string Name { get; }

    /// <summary>The record's property.</summary>
    public string Property { get; }

    public ColumnType Type { get; }

    /// <summary>Unit and meaning.</summary>
    public string Meaning { get; }

    /// <inheritdoc cref="ColumnAttribute.Exact"/>
    public bool Exact { get; }

    /// <inheritdoc cref="ColumnAttribute.Key"/>
    public bool Key { get; }

    /// <inheritdoc cref="ColumnAttribute.Since"/>
    public int Since { get; }

    public bool Nullable { get; }

    /// <summary>The type of a cell in a file, without null.</summary>
    internal abstract Type StoredType { get; }

    /// <summary>
    /// A row's value as a file holds it: bits as integers, digests as bytes; for formats that know no records.
    /// </summary>
    public abstract object? Value(IRow row);

    /// <summary>Room for so many cells, null where the column may be null.</summary>
    internal abstract ColumnValues Empty(int rows);

    /// <summary>A cell for people: bits with the number that they stand for.</summary>
    internal abstract string Describe(object? cell);

    internal DataField Field() =>
        Type == ColumnType.Timestamp
            ? new DateTimeDataField(
                Name,
                DateTimeFormat.DateAndTimeMicros,
                isAdjustedToUTC: true,
                unit: DateTimeTimeUnit.Micros,
                isNullable: Nullable
            )
            : new DataField(Name, StoredType, Nullable);

    /// <summary>LossReconBits is loss_recon_bits.</summary>
    private static string InSnakeCase(string name) =>
        string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : $"{c}")).ToLowerInvariant();

    private static bool MayBeNull(PropertyInfo property) =>
        property.PropertyType.IsValueType
            ? System.Nullable.GetUnderlyingType(property.PropertyType) is not null
            : new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
}

/// <summary>A column of one table's rows.</summary>
internal abstract class Column<TRow>(PropertyInfo property, ColumnType type) : Column(property, type)
{
    /// <summary>The column of these rows.</summary>
    internal abstract ColumnValues Of(IReadOnlyList<TRow> rows);

    /// <summary>Sets the property of as many rows as there are cells.</summary>
    internal abstract void Set(TRow[] rows, ColumnValues values);
}

/// <summary>A column of one table's rows, by its property's getter and setter.</summary>
/// <param name="store">A property's value as a file holds it.</param>
/// <param name="load">The way back.</param>
/// <param name="wrap">An array of cells as a column.</param>
internal sealed class Column<TRow, TProperty, TCell>(
    PropertyInfo property,
    ColumnType type,
    Func<TProperty, TCell> store,
    Func<TCell, TProperty> load,
    Func<TCell[], ColumnValues<TCell>> wrap
) : Column<TRow>(property, type)
    where TRow : class
{
    private readonly Func<TRow, TProperty> get = property.GetMethod!.CreateDelegate<Func<TRow, TProperty>>();
    private readonly Action<TRow, TProperty> set = property.SetMethod!.CreateDelegate<Action<TRow, TProperty>>();

    internal override Type StoredType { get; } = System.Nullable.GetUnderlyingType(typeof(TCell)) ?? typeof(TCell);

    public override object? Value(IRow row) => store(get((TRow)row));

    internal override ColumnValues Empty(int rows) => wrap(new TCell[rows]);

    internal override string Describe(object? cell) =>
        cell is TCell && load((TCell)cell) is Bits32 or Bits64 ? $"{load((TCell)cell)}" : Table.Show(cell);

    internal override ColumnValues Of(IReadOnlyList<TRow> rows)
    {
        var cells = new TCell[rows.Count];
        for (int r = 0; r < cells.Length; r++)
            cells[r] = store(get(rows[r]));
        return wrap(cells);
    }

    internal override void Set(TRow[] rows, ColumnValues values)
    {
        var cells = ((ColumnValues<TCell>)values).Cells;
        for (int r = 0; r < cells.Length; r++)
            set(rows[r], load(cells[r]));
    }
}
