using System.Globalization;

namespace LutNative.Results;

/// <summary>
/// What a table's file says of its own rows: how many, and the SHA-256 of their exact columns (lut.content_sha256, the
/// number that two laboratories compare) and of all of them (lut.rows_sha256, since 1.3). Parquet has no such check: a
/// bit that flipped in a page is read back as another value.
/// </summary>
internal static class TableSeal
{
    private const int RowsHashSince = 3;

    /// <param name="minor">The file's.</param>
    /// <param name="known">The file has no column that this version does not know.</param>
    internal static void Check(
        Table table,
        IReadOnlyDictionary<string, string> metadata,
        int minor,
        bool known,
        string path
    )
    {
        string rows = table.Rows.Count.ToString(CultureInfo.InvariantCulture);
        if (Value("lut.rowcount") != rows)
            throw Damaged("lut.rowcount", rows);
        // of a later version's columns nothing says which are exact
        if (minor > Schema.Minor && !known)
            return;
        string content = table.ContentSha256(minor);
        if (Value("lut.content_sha256") != content)
            throw Damaged("lut.content_sha256", content);
        if (minor < RowsHashSince && !metadata.ContainsKey("lut.rows_sha256"))
            return;
        string all = table.RowsSha256(minor);
        if (Value("lut.rows_sha256") != all)
            throw Damaged("lut.rows_sha256", all);

        string Value(string key) => metadata.TryGetValue(key, out string? value) ? value : "missing";

        ResultsException Damaged(string key, string found) =>
            new(
                StoreFault.Damaged,
                $"{Path.GetFileName(path)} does not hold the rows that it was written with",
                path,
                $"{key} is {Value(key)}, its rows give {found}",
                "the file was damaged or changed after it was written; restore it from another copy of the run, or run it again"
            );
    }
}
