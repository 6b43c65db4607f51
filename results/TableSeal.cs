using System.Globalization;

namespace LutNative.Results;

/// <summary>
/// What a table's file says of its own rows: how many, and the SHA-256 of their exact columns (lut.content_sha256, the
/// number that two laboratories compare) and of all of them (lut.rows_sha256, since 1.3). Parquet has no such check: a
/// bit that flipped in a page is read back as another value. Rows are appended as they are read, then checked.
/// </summary>
/// <param name="minor">The file's.</param>
/// <param name="known">The file has no column that this version does not know.</param>
internal sealed class TableSeal(
    TableSchema schema,
    IReadOnlyDictionary<string, string> metadata,
    int minor,
    bool known,
    string path
) : IDisposable
{
    private const int RowsHashSince = 3;
    private readonly TableHashes hashes = new(schema, minor);
    private long rows;

    internal void Append(ColumnValues[] columns)
    {
        rows += columns[0].Count;
        hashes.Append(columns);
    }

    /// <exception cref="ResultsException">The rows are not those that the file was written with.</exception>
    internal void Check()
    {
        string count = rows.ToString(CultureInfo.InvariantCulture);
        if (Value("lut.rowcount") != count)
            throw Damaged("lut.rowcount", count);
        // of a later version's columns nothing says which are exact
        if (minor > Schema.Minor && !known)
            return;
        var (content, all) = hashes.Finish();
        if (Value("lut.content_sha256") != content)
            throw Damaged("lut.content_sha256", content);
        if (minor < RowsHashSince && !metadata.ContainsKey("lut.rows_sha256"))
            return;
        if (Value("lut.rows_sha256") != all)
            throw Damaged("lut.rows_sha256", all);
    }

    public void Dispose() => hashes.Dispose();

    private string Value(string key) => metadata.TryGetValue(key, out string? value) ? value : "missing";

    private ResultsException Damaged(string key, string found) =>
        new(
            StoreFault.Damaged,
            $"{Path.GetFileName(path)} does not hold the rows that it was written with",
            path,
            $"{key} is {Value(key)}, its rows give {found}",
            "the file was damaged or changed after it was written; "
                + "restore it from another copy of the run, or run it again"
        );
}
