namespace LutNative.Results;

/// <summary>A record whose properties are the columns of a table.</summary>
/// <param name="name">In files: the first part of a part's name, and lut.table in its metadata.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TableAttribute(string name) : Attribute
{
    public string Name { get; } = name;

    /// <summary>The minor version that brought the table.</summary>
    public int Since { get; init; }

    /// <summary>A run has one row of it: a second one means that the folder was written by two.</summary>
    public bool OneRow { get; init; }
}

/// <summary>
/// A property that is a column. Its name in files is the property's in snake_case, its type and whether it may be null
/// are the property's.
/// </summary>
/// <param name="meaning">Unit and meaning, as `lut schema` and SCHEMA.md tell them.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ColumnAttribute(string meaning = "") : Attribute
{
    public string Meaning { get; } = meaning;

    /// <summary>
    /// Part of exact comparison and of the content hash: depends on the protocol alone, never on machine or time.
    /// </summary>
    public bool Exact { get; init; }

    /// <summary>
    /// Part of what tells the table's rows apart. Where a table is compared row by row, two rows with one key have no
    /// meaning: the folder was written by two, or is damaged.
    /// </summary>
    public bool Key { get; init; }

    /// <summary>
    /// The minor version that brought it. Later ones than the table's are nullable: in an older file they read as null,
    /// which means not recorded.
    /// </summary>
    public int Since { get; init; }
}
