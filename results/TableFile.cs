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
            var columns = table.ByColumn();
            WriteAsync(file.Stream, table, columns, metadata).GetAwaiter().GetResult();
            file.Store();
            Verify(file.Stream, path, table.Schema, columns);
            file.Keep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException || WholeFile.IsTooLarge(e))
        {
            throw new ResultsException(
                StoreFault.CannotWrite,
                $"cannot write the table {table.Schema.Name}",
                path,
                e.Message,
                "free some space or choose another --output; "
                    + "everything written before is intact, and the run can be resumed"
            );
        }
    }

    /// <inheritdoc cref="ReadWithMetadata"/>
    public static Table Read(string path) => ReadWithMetadata(path).Table;

    /// <exception cref="ResultsException">
    /// The file cannot be read, is not ours, or does not hold the rows that it was written with.
    /// </exception>
    public static (Table Table, IReadOnlyDictionary<string, string> Metadata) ReadWithMetadata(string path)
    {
        using var reader = TableReader.Open(path);
        var table = reader.Schema.NewTable();
        while (reader.Next() is { } columns)
            table.AddRead(columns);
        return (table, reader.Metadata);
    }

    private static async Task WriteAsync(
        Stream stream,
        Table table,
        ColumnValues[] columns,
        IReadOnlyDictionary<string, string> metadata
    )
    {
        var schema = table.Schema;
        DataField[] fields = [.. schema.Columns.Select(c => c.Field())];
        var options = new ParquetOptions
        {
            CompressionMethod = CompressionMethod.Zstd,
            CompressionLevel = CompressionLevel.Optimal,
        };
        foreach (var c in schema.Columns)
        {
            if (c.Type is ColumnType.Float32 or ColumnType.Float64)
                options.ColumnEncodingHints[c.Name] = EncodingHint.ByteSplitStream;
            if (c.Type is ColumnType.Text)
                options.ColumnEncodingHints[c.Name] = EncodingHint.Dictionary;
        }
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream, options);
        var (content, rows) = table.Hashes(Schema.Minor);
        writer.CustomMetadata = new Dictionary<string, string>(metadata)
        {
            ["lut.parquet_writer"] = Writer,
            ["lut.table"] = schema.Name,
            ["lut.schema_version"] = $"{Schema.Major}.{Schema.Minor}",
            ["lut.rowcount"] = table.Count.ToString(CultureInfo.InvariantCulture),
            ["lut.content_sha256"] = content,
            ["lut.rows_sha256"] = rows,
        };
        using var group = writer.CreateRowGroup();
        for (int c = 0; c < fields.Length; c++)
            await columns[c].WriteAsync(group, fields[c]);
        group.CompleteValidate();
    }

    /// <summary>Reads the file back: same rows, every value bit for bit.</summary>
    private static void Verify(Stream stream, string path, TableSchema schema, ColumnValues[] written)
    {
        bool same = false;
        string why = "what was read back differs from what was written";
        try
        {
            stream.Position = 0;
            using var reader = TableReader.Over(stream, path);
            same = reader.Schema == schema && AreEqual(written, reader.Next()) && reader.Next() is null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            why = e.Message;
        }
        if (!same)
            throw new ResultsException(
                StoreFault.CannotWrite,
                $"the table {schema.Name} did not survive being written",
                path,
                why,
                "check the disk"
            );
    }

    /// <param name="y">Null: no rows.</param>
    private static bool AreEqual(ColumnValues[] x, ColumnValues[]? y)
    {
        if (x[0].Count != (y?[0].Count ?? 0))
            return false;
        for (int c = 0; c < x.Length; c++)
        for (int r = 0; r < x[c].Count; r++)
            if (!x[c].Same(r, y![c], r))
                return false;
        return true;
    }
}
