using System.Globalization;
using System.IO.Compression;
using System.Reflection;
using Parquet;
using Parquet.Schema;

namespace LutNative.Results;

/// <summary>
/// The checked Parquet writer and reader (one file, one row group). Written to a temporary file, stored, read back and
/// compared bit for bit, renamed: a file under its final name is whole. What is read must be what the file was sealed
/// with (<see cref="TableSeal"/>). Float columns are byte-stream-split, so that no min/max statistics exist for NaN to
/// spoil; Zstandard at level 3; never appended to.
/// </summary>
public static class TableFile
{
    /// <summary>
    /// Bytes that a table's pages may take: equal rows pack well, and no table packs better than this.
    /// </summary>
    private const long MostUnpacked = 16 << 20;
    private const long PackedAtBest = 256;

    /// <summary>Rows whose memory is no matter, so that small tables need no arithmetic.</summary>
    private const long FewRows = 1 << 16;

    // the assembly's version stays 6.0.0.0 for package 6.1.0: the informational one does not
    private static readonly string Writer =
        "Parquet.Net "
        + typeof(ParquetWriter)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion;

    /// <exception cref="ResultsException">
    /// The disk refused, or gave back other bytes; the file's name then holds what it held before.
    /// </exception>
    public static void Write(string path, Table table, IReadOnlyDictionary<string, string> metadata)
    {
        try
        {
            using var file = WholeFile.Begin(path);
            WriteAsync(file.Stream, table, metadata).GetAwaiter().GetResult();
            file.Store();
            Verify(file.Stream, path, table);
            file.Keep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException || WholeFile.IsTooLarge(e))
        {
            throw new ResultsException(
                StoreFault.CannotWrite,
                $"cannot write the table {table.Schema.Name}",
                path,
                e.Message,
                "free some space or choose another --output; everything written before is intact, and the run can be resumed"
            );
        }
    }

    public static Table Read(string path) => ReadWithMetadata(path).Table;

    /// <exception cref="ResultsException">
    /// The file cannot be read, is not ours, or does not hold the rows that it was written with.
    /// </exception>
    public static (Table Table, IReadOnlyDictionary<string, string> Metadata) ReadWithMetadata(string path)
    {
        try
        {
            using var file = PlainFile.OpenRead(path);
            return ReadAsync(file, path).GetAwaiter().GetResult();
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

    private static async Task WriteAsync(Stream stream, Table table, IReadOnlyDictionary<string, string> metadata)
    {
        var fields = table.Schema.Columns.Select(Field).ToArray();
        var options = new ParquetOptions
        {
            CompressionMethod = CompressionMethod.Zstd,
            CompressionLevel = CompressionLevel.Optimal,
        };
        foreach (var c in table.Schema.Columns)
        {
            if (c.Type is ColumnType.Float32 or ColumnType.Float64)
                options.ColumnEncodingHints[c.Name] = EncodingHint.ByteSplitStream;
            if (c.Type is ColumnType.Text)
                options.ColumnEncodingHints[c.Name] = EncodingHint.Dictionary;
        }
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream, options);
        writer.CustomMetadata = new Dictionary<string, string>(metadata)
        {
            ["lut.parquet_writer"] = Writer,
            ["lut.table"] = table.Schema.Name,
            ["lut.schema_version"] = $"{Schema.Major}.{Schema.Minor}",
            ["lut.rowcount"] = table.Rows.Count.ToString(CultureInfo.InvariantCulture),
            ["lut.content_sha256"] = table.ContentSha256(),
            ["lut.rows_sha256"] = table.RowsSha256(),
        };
        using var group = writer.CreateRowGroup();
        for (int i = 0; i < fields.Length; i++)
            await WriteColumn(group, fields[i], table, i);
        group.CompleteValidate();
    }

    private static DataField Field(Column c) =>
        c.Type == ColumnType.Timestamp
            ? new DateTimeDataField(
                c.Name,
                DateTimeFormat.DateAndTimeMicros,
                isAdjustedToUTC: true,
                unit: DateTimeTimeUnit.Micros,
                isNullable: c.Nullable
            )
            : new DataField(c.Name, Table.ClrType(c.Type), c.Nullable);

    private static async Task WriteColumn(ParquetRowGroupWriter group, DataField field, Table table, int i)
    {
        var column = table.Schema.Columns[i];
        switch (column.Type)
        {
            case ColumnType.Int32:
                await Values<int>();
                break;
            case ColumnType.Int64:
                await Values<long>();
                break;
            case ColumnType.UInt32:
                await Values<uint>();
                break;
            case ColumnType.Float32:
                await Values<float>();
                break;
            case ColumnType.Float64:
                await Values<double>();
                break;
            case ColumnType.Bool:
                await Values<bool>();
                break;
            case ColumnType.Timestamp:
                await Values<DateTime>();
                break;
            case ColumnType.Text:
                await group.WriteAsync(field, table.Rows.Select(r => (string)r[i]!).ToArray());
                break;
            default:
                await group.WriteAsync(field, table.Rows.Select(r => (byte[])r[i]!).ToArray());
                break;
        }

        async Task Values<T>()
            where T : struct
        {
            if (column.Nullable)
                await group.WriteAsync<T>(field, table.Rows.Select(r => (T?)r[i]).ToArray().AsMemory());
            else
                await group.WriteAsync<T>(field, table.Rows.Select(r => (T)r[i]!).ToArray().AsMemory());
        }
    }

    private static async Task<(Table, IReadOnlyDictionary<string, string>)> ReadAsync(Stream file, string path)
    {
        using var stream = CheckedParquet.Over(file, MostUnpacked + PackedAtBest * file.Length);
        await using var reader = await ParquetReader.CreateAsync(stream);
        var metadata = reader.CustomMetadata;
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
            || major != Schema.Major
        )
            throw new ResultsException(
                StoreFault.NewerSchema,
                $"{Path.GetFileName(path)} has schema {version}",
                path,
                $"this lut reads schema {Schema.Major}.x",
                "use a newer lut"
            );
        var schema =
            Schema.All.FirstOrDefault(s => s.Name == name)
            ?? throw new ResultsException(
                StoreFault.Unreadable,
                $"{Path.GetFileName(path)} holds the unknown table {name}",
                path,
                "known tables: " + string.Join(", ", Schema.All.Select(s => s.Name)),
                "use a newer lut"
            );
        var columns = await Columns(reader, schema, minor, path);
        var table = new Table(schema);
        for (int r = 0; r < columns[0].Count; r++)
            table.Add([.. columns.Select(c => c[r])]);
        TableSeal.Check(
            table,
            metadata,
            minor,
            reader.Schema.DataFields.All(f => schema.Columns.Any(c => c.Name == f.Name)),
            path
        );
        return (table, metadata);
    }

    private static async Task<List<List<object?>>> Columns(
        ParquetReader reader,
        TableSchema schema,
        int minor,
        string path
    )
    {
        var fields = reader.Schema.DataFields.ToLookup(f => f.Name);
        long unpacked = reader.RowGroups.Sum(g => g.RowGroup.Columns.Sum(c => c.MetaData!.TotalUncompressedSize));
        long rows = reader.RowGroups.Sum(g => g.RowCount);
        // a row takes at least its numbers: more rows than that are a claim
        if (
            (rows - FewRows) * schema.Columns.Where(c => !c.Nullable && c.Since <= minor).Sum(c => Width(c.Type))
            > unpacked
        )
            throw new DamagedParquetException($"it claims {rows} rows in {unpacked} bytes");
        var columns = new List<List<object?>>();
        foreach (var c in schema.Columns)
        {
            var values = new List<object?>();
            var field =
                fields[c.Name].Count() <= 1
                    ? fields[c.Name].FirstOrDefault()
                    : throw new DamagedParquetException($"it has the column {c.Name} twice");
            if (field is null && c.Since <= minor)
                throw new ResultsException(
                    StoreFault.Unreadable,
                    $"{Path.GetFileName(path)} lacks the column {c.Name}",
                    path,
                    $"schema {Schema.Major}.{minor} has it",
                    "it was written or changed by another program; restore it from another copy of the run"
                );
            if (field is not null && (field.IsNullable != c.Nullable || field.ClrType != StoredType(c.Type)))
                throw new DamagedParquetException(
                    $"its column {c.Name} holds {field.ClrType.Name}{(field.IsNullable ? " or null" : "")}, not {c.Type}{(c.Nullable ? " or null" : "")}"
                );
            for (int g = 0; g < reader.RowGroupCount; g++)
            {
                using var group = reader.OpenRowGroupReader(g);
                if (field is not null)
                    values.AddRange(await ReadColumn(group, field, c));
                else
                    values.AddRange(new object?[checked((int)group.RowCount)]); // an older file: not recorded
            }
            columns.Add(values);
        }
        return columns;
    }

    /// <summary>Bytes of a value that is always there; 0 where a dictionary may hold it once for all rows.</summary>
    private static int Width(ColumnType type) =>
        type switch
        {
            ColumnType.Int32 or ColumnType.UInt32 or ColumnType.Float32 => 4,
            ColumnType.Int64 or ColumnType.Float64 or ColumnType.Timestamp => 8,
            _ => 0,
        };

    private static Type StoredType(ColumnType type) => new DataField("x", Table.ClrType(type)).ClrType;

    private static async Task<IEnumerable<object?>> ReadColumn(ParquetRowGroupReader group, DataField field, Column c)
    {
        int n = checked((int)group.RowCount);
        switch (c.Type)
        {
            case ColumnType.Int32:
                return await Values<int>();
            case ColumnType.Int64:
                return await Values<long>();
            case ColumnType.UInt32:
                return await Values<uint>();
            case ColumnType.Float32:
                return await Values<float>();
            case ColumnType.Float64:
                return await Values<double>();
            case ColumnType.Bool:
                return await Values<bool>();
            case ColumnType.Timestamp:
                return await Values<DateTime>();
            case ColumnType.Text:
                var text = new string?[n];
                await group.ReadAsync(field, text.AsMemory());
                return text;
            default:
                var blobs = new byte[]?[n];
                await group.ReadAsync(field, blobs.AsMemory());
                return blobs;
        }

        async Task<IEnumerable<object?>> Values<T>()
            where T : struct
        {
            if (c.Nullable)
            {
                var some = new T?[n];
                await group.ReadAsync<T>(field, some.AsMemory());
                return some.Select(v => (object?)v);
            }
            var all = new T[n];
            await group.ReadAsync<T>(field, all.AsMemory());
            return all.Select(v => (object?)v);
        }
    }

    /// <summary>Reads the file back: same rows, every value bit for bit.</summary>
    private static void Verify(Stream stream, string path, Table table)
    {
        Table? back = null;
        string why = "what was read back differs from what was written";
        try
        {
            stream.Position = 0;
            (back, _) = ReadAsync(stream, path).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            why = e.Message;
        }
        bool same = back is not null && back.Rows.Count == table.Rows.Count;
        for (int r = 0; same && r < table.Rows.Count; r++)
        for (int c = 0; same && c < table.Schema.Columns.Count; c++)
            same =
                table.Rows[r][c] is null == back!.Rows[r][c] is null
                && Table.Bytes(table.Rows[r][c]).AsSpan().SequenceEqual(Table.Bytes(back.Rows[r][c]));
        if (!same)
            throw new ResultsException(
                StoreFault.CannotWrite,
                $"the table {table.Schema.Name} did not survive being written",
                path,
                why,
                "check the disk"
            );
    }
}
