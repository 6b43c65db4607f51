using System.Security.Cryptography;

namespace LutNative.Results;

/// <summary>
/// A run's folder: tables as numbered parts (steps-00003.parquet), each written once and never changed, and a few plain
/// files. A commit writes one part of every table that has new rows; after an interruption the parts that the resumed
/// checkpoint does not know are dropped and made again. When a run ends, MANIFEST.sha256 covers every file and COMPLETE
/// marks the folder immutable. LOCK, while it is there, belongs to the process that writes.
/// </summary>
public sealed class RunStore(string folder)
{
    public const string ManifestName = "MANIFEST.sha256";
    public const string CompleteName = "COMPLETE";
    public const string LockName = "LOCK";

    public string Folder { get; } = folder;
    public bool IsComplete => File.Exists(Path.Combine(Folder, CompleteName));

    public static RunStore Create(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResultsException(
                StoreFault.CannotWrite,
                "cannot create the run's folder",
                folder,
                e.Message,
                "choose another --output"
            );
        }
        return new RunStore(folder);
    }

    /// <summary>The highest part number of any table; -1 when there is none.</summary>
    public int LastPart() => Parts().Select(p => p.Number).DefaultIfEmpty(-1).Max();

    /// <summary>
    /// Writes one part of each non-empty table under the next number and empties them; returns the number.
    /// </summary>
    public int Commit(IEnumerable<Table> tables, IReadOnlyDictionary<string, string> metadata)
    {
        int part = LastPart() + 1;
        foreach (var table in tables.Where(t => t.Count > 0))
        {
            TableFile.Write(Path.Combine(Folder, PartName.Of(table.Schema, part)), table, metadata);
            table.Clear();
        }
        return part;
    }

    /// <summary>
    /// Removes parts of our tables with higher numbers, and stores that they are gone. Nothing else that lies in the
    /// folder is touched.
    /// </summary>
    public void DropPartsAfter(int part)
    {
        try
        {
            foreach (var p in Parts().Where(p => p.Number > part))
                File.Delete(p.Path);
            WholeFile.StoreFolder(Folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResultsException(
                StoreFault.CannotWrite,
                "cannot remove parts that are computed again",
                Folder,
                e.Message,
                "make the folder writable"
            );
        }
    }

    /// <summary>Every file of a table, by exact name, in order.</summary>
    public IReadOnlyList<string> PartFiles() => [.. Parts().Select(p => p.Path)];

    /// <summary>All rows of a table, parts in order; empty when the run has none.</summary>
    /// <exception cref="ResultsException">A part cannot be read or trusted, or two rows have one key.</exception>
    public Table<TRow> Read<TRow>(TableSchema<TRow> schema)
        where TRow : class, IRow
    {
        var all = new Table<TRow>();
        foreach (var columns in Columns(schema))
            all.AddRead(columns);
        return all;
    }

    /// <inheritdoc cref="Read{TRow}"/>
    public Table Read(TableSchema schema)
    {
        var all = schema.NewTable();
        foreach (var columns in Columns(schema))
            all.AddRead(columns);
        return all;
    }

    /// <summary>The same rows one after the other: no more than a row group of them is in memory.</summary>
    /// <exception cref="ResultsException">A part cannot be read or trusted, or two rows have one key.</exception>
    public IEnumerable<TRow> Rows<TRow>(TableSchema<TRow> schema)
        where TRow : class, IRow => Columns(schema).SelectMany(schema.Rows);

    /// <summary>The same by column: a row group of all columns at a time.</summary>
    internal IEnumerable<ColumnValues[]> Columns(TableSchema schema)
    {
        var keys = RowKeys.Of(schema);
        foreach (var columns in Groups(schema))
        {
            if (keys?.FirstTwice(columns) is { } twice)
                throw Twice(schema, twice);
            yield return columns;
        }
    }

    /// <summary>The same row by row, each with its key.</summary>
    internal IEnumerable<RowAt> Keyed(TableSchema schema)
    {
        var keys = RowKeys.Of(schema) ?? throw new ArgumentException($"rows of {schema.Name} have no key");
        foreach (var columns in Groups(schema))
            for (int r = 0; r < columns[0].Count; r++)
            {
                var key = keys.Of(columns, r);
                if (!keys.Add(key))
                    throw Twice(schema, keys.Describe(columns, r));
                yield return new RowAt(columns, r, key);
            }
    }

    private IEnumerable<ColumnValues[]> Groups(TableSchema schema)
    {
        foreach (var part in Parts().Where(p => p.Table == schema.Name))
        {
            using var reader = TableReader.Open(part.Path);
            if (reader.Schema != schema)
                throw new ResultsException(
                    StoreFault.Damaged,
                    $"{Path.GetFileName(part.Path)} holds the table {reader.Schema.Name}",
                    part.Path,
                    "it was renamed",
                    "restore it from another copy of the run, or run it again"
                );
            while (reader.Next() is { } columns)
                yield return columns;
        }
    }

    private ResultsException Twice(TableSchema schema, string key) =>
        new(
            StoreFault.Damaged,
            $"the table {schema.Name} has {key} twice",
            Path.GetFullPath(Folder),
            "two processes wrote into the folder, or files of two runs lie in it",
            "restore it from another copy of the run, or run it again"
        );

    /// <summary>Covers every file of the folder, and marks it as finished.</summary>
    public void WriteManifest()
    {
        try
        {
            WholeFile.WriteText(Path.Combine(Folder, ManifestName), RunManifest.Of(Folder));
            WholeFile.WriteText(Path.Combine(Folder, CompleteName), "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResultsException(
                StoreFault.CannotWrite,
                $"cannot write {ManifestName}",
                Folder,
                e.Message,
                "free some space or mend what is named, and resume the run: nothing is computed again"
            );
        }
    }

    /// <summary>
    /// Everything in which the folder is not what its manifest says, named with its reason; empty when the run is
    /// intact. Nothing outside of the folder is opened.
    /// </summary>
    public IReadOnlyList<string> Damage()
    {
        try
        {
            var problems = RunManifest.Differences(Folder).ToList();
            var complete = new FileInfo(Path.Combine(Folder, CompleteName));
            if (complete.LinkTarget is not null)
                problems.Add($"{CompleteName} is a link");
            else if (!complete.Exists)
                problems.Add($"{CompleteName} is missing: the run did not finish, or the file was removed");
            return problems;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [$"the folder cannot be read: {e.Message}"];
        }
    }

    public static string Sha256(string path)
    {
        using var stream = PlainFile.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>
    /// Parts of our tables, in order of their numbers. A file is one only if a commit would give it exactly that name.
    /// </summary>
    private List<(string Path, string Table, int Number)> Parts()
    {
        if (!Directory.Exists(Folder))
            throw new ResultsException(
                StoreFault.Missing,
                $"there is no run {Folder}",
                Path.GetFullPath(Folder),
                "the folder does not exist",
                "`lut ls` lists the runs"
            );
        var parts = new List<(string Path, string Table, int Number)>();
        foreach (string path in PathsOf(Folder))
        {
            if (PartName.TryParse(path, out var table, out int number))
                parts.Add((path, table.Name, number));
        }
        return [.. parts.OrderBy(p => p.Number)];
    }

    private static string[] PathsOf(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*.parquet");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResultsException(
                StoreFault.Unreadable,
                "cannot look into the run's folder",
                Path.GetFullPath(folder),
                e.Message,
                "make it readable, or use another copy of the run"
            );
        }
    }
}
