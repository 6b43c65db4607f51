using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace LutNative.Results;

/// <summary>
/// A table's file, read row group by row group, each column as one array. A file is sealed as a whole: every column is
/// read and goes into the seal (<see cref="TableSeal"/>), which is checked before the last rows are given out; what a
/// caller does not keep is gone with its row group.
/// </summary>
internal sealed class TableReader : IDisposable
{
    /// <summary>
    /// Bytes that a table's pages may take: equal rows pack well, and no table packs better than this.
    /// </summary>
    private const long MostUnpacked = 16 << 20;
    private const long PackedAtBest = 256;

    /// <summary>Rows whose memory is no matter, so that small tables need no arithmetic.</summary>
    private const long FewRows = 1 << 16;

    private readonly string path;
    private readonly Stream? owned;
    private readonly ParquetReader parquet;
    private readonly DataField?[] fields;
    private readonly TableSeal seal;
    private int next;

    private TableReader(
        string path,
        Stream? owned,
        ParquetReader parquet,
        TableSchema schema,
        DataField?[] fields,
        TableSeal seal
    )
    {
        this.path = path;
        this.owned = owned;
        this.parquet = parquet;
        this.fields = fields;
        this.seal = seal;
        Schema = schema;
    }

    internal TableSchema Schema { get; }

    internal IReadOnlyDictionary<string, string> Metadata => parquet.CustomMetadata;

    /// <exception cref="ResultsException">The file cannot be read or is not ours.</exception>
    internal static TableReader Open(string path) =>
        Refusing(
            path,
            () =>
            {
                var file = PlainFile.OpenRead(path);
                try
                {
                    return Begin(file, file, path);
                }
                catch
                {
                    file.Dispose();
                    throw;
                }
            }
        );

    /// <summary>The same of a file that is open, and stays so.</summary>
    internal static TableReader Over(Stream file, string path) => Begin(file, null, path);

    /// <summary>All columns of the next row group; null behind the last.</summary>
    /// <exception cref="ResultsException">
    /// It cannot be read, or the file does not hold the rows that it was written with.
    /// </exception>
    internal ColumnValues[]? Next() =>
        Refusing(
            path,
            () =>
            {
                if (next > parquet.RowGroupCount)
                    return null;
                var columns = next < parquet.RowGroupCount ? ReadGroup(next) : null;
                next++;
                if (columns is not null)
                    seal.Append(columns);
                // a table of no rows may have no row group
                if (next == Math.Max(1, parquet.RowGroupCount))
                    seal.Check();
                return columns;
            }
        );

    public void Dispose()
    {
        seal.Dispose();
        parquet.DisposeAsync().AsTask().GetAwaiter().GetResult();
        owned?.Dispose();
    }

    private static TableReader Begin(Stream file, Stream? owned, string path)
    {
        var stream = CheckedParquet.Over(file, MostUnpacked + PackedAtBest * file.Length);
        var parquet = ParquetReader.CreateAsync(stream).GetAwaiter().GetResult();
        var metadata = parquet.CustomMetadata;
        if (
            metadata is null
            || !metadata.TryGetValue("lut.table", out string? name)
            || !metadata.TryGetValue("lut.schema_version", out string? version)
        )
            throw new ResultsException(
                StoreFault.Unreadable,
                $"{Path.GetFileName(path)} was not written by lut",
                path,
                "it has no lut.table in its metadata",
                "point to a run's folder"
            );
        string[] numbers = version.Split('.');
        int minor = 0;
        if (
            numbers.Length != 2
            || !int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major)
            || !int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out minor)
            || major != Results.Schema.Major
        )
            throw new ResultsException(
                StoreFault.NewerSchema,
                $"{Path.GetFileName(path)} has schema {version}",
                path,
                $"this lut reads schema {Results.Schema.Major}.x",
                "use a newer lut"
            );
        var schema =
            Results.Schema.All.FirstOrDefault(s => s.Name == name)
            ?? throw new ResultsException(
                StoreFault.Unreadable,
                $"{Path.GetFileName(path)} holds the unknown table {name}",
                path,
                "known tables: " + string.Join(", ", Results.Schema.All.Select(s => s.Name)),
                "use a newer lut"
            );
        var fields = Fields(parquet, schema, minor, path);
        bool known = parquet.Schema.DataFields.All(f => schema.Columns.Any(c => c.Name == f.Name));
        return new TableReader(
            path,
            owned,
            parquet,
            schema,
            fields,
            new TableSeal(schema, metadata, minor, known, path)
        );
    }

    /// <summary>The file's field of each column; null for one that came after the file's version.</summary>
    private static DataField?[] Fields(ParquetReader parquet, TableSchema schema, int minor, string path)
    {
        var named = parquet.Schema.DataFields.ToLookup(f => f.Name);
        long unpacked = parquet.RowGroups.Sum(g => g.RowGroup.Columns.Sum(c => c.MetaData!.TotalUncompressedSize));
        long rows = parquet.RowGroups.Sum(g => g.RowCount);
        long width = schema.Columns.Where(c => !c.Nullable && c.Since <= minor).Sum(c => Width(c.Type));
        // a row takes at least its numbers: more rows than that are a claim
        if ((rows - FewRows) * width > unpacked)
            throw new DamagedParquetException($"it claims {rows} rows in {unpacked} bytes");
        return [.. schema.Columns.Select(c => Field(c, [.. named[c.Name]], minor, path))];
    }

    private static DataField? Field(Column c, DataField[] found, int minor, string path)
    {
        if (found.Length > 1)
            throw new DamagedParquetException($"it has the column {c.Name} twice");
        var field = found.SingleOrDefault();
        if (field is null && c.Since <= minor)
            throw new ResultsException(
                StoreFault.Unreadable,
                $"{Path.GetFileName(path)} lacks the column {c.Name}",
                path,
                $"schema {Results.Schema.Major}.{minor} has it",
                "it was written or changed by another program; restore it from another copy of the run"
            );
        if (field is not null && (field.IsNullable != c.Nullable || field.ClrType != c.Field().ClrType))
            throw new DamagedParquetException(
                $"its column {c.Name} holds {field.ClrType.Name}{OrNull(field.IsNullable)}, "
                    + $"not {c.Type}{OrNull(c.Nullable)}"
            );
        return field;

        static string OrNull(bool nullable) => nullable ? " or null" : "";
    }

    /// <summary>Bytes of a value that is always there; 0 where a dictionary may hold it once for all rows.</summary>
    private static int Width(ColumnType type) =>
        type switch
        {
            ColumnType.Int32 or ColumnType.UInt32 or ColumnType.Float32 => 4,
            ColumnType.Int64 or ColumnType.Float64 or ColumnType.Timestamp => 8,
            _ => 0,
        };

    private ColumnValues[] ReadGroup(int number)
    {
        using var group = parquet.OpenRowGroupReader(number);
        var columns = new ColumnValues[fields.Length];
        for (int c = 0; c < columns.Length; c++)
        {
            columns[c] = Schema.Columns[c].Empty(checked((int)group.RowCount));
            // in an older file it stays null: not recorded
            if (fields[c] is { } field)
                columns[c].ReadAsync(group, field).GetAwaiter().GetResult();
        }
        return columns;
    }

    private static T Refusing<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ResultsException)
        {
            throw;
        }
        catch (FileNotFoundException)
        {
            throw new ResultsException(
                StoreFault.Missing,
                $"there is no table {Path.GetFileName(path)}",
                path,
                "the file does not exist",
                "check the run's folder"
            );
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ResultsException(
                StoreFault.Unreadable,
                $"{Path.GetFileName(path)} must not be read",
                path,
                e.Message,
                "give this user the right to read it"
            );
        }
        catch (Exception e)
        {
            // what the library throws at a damaged page is of many types, and none of them a bug of ours
            throw new ResultsException(
                StoreFault.Unreadable,
                $"{Path.GetFileName(path)} is not a readable Parquet file",
                path,
                e.Message,
                "it is truncated or damaged; restore it from another copy of the run"
            );
        }
    }
}
