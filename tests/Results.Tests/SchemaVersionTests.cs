using DuckDB.NET.Data;

namespace LutNative.Results.Tests;

/// <summary>
/// Every version of the schema has a golden file (its columns) and, from 1.1 on, files that a lut of that version
/// wrote: both stay true for ever.
/// </summary>
public class SchemaVersionTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "fixtures", "schema");

    public static TheoryData<int> Minors => [.. Enumerable.Range(0, Schema.Minor + 1)];

    /// <summary>LUT_UPDATE_DOCS=1 writes the newest; older ones never change.</summary>
    [Theory]
    [MemberData(nameof(Minors))]
    public void AVersionsColumnsNeverChange(int minor)
    {
        string path = Path.Combine(Folder, $"1.{minor}.txt");
        string lines = string.Join('\n', Schema.Lines(minor)) + "\n";
        if (Environment.GetEnvironmentVariable("LUT_UPDATE_DOCS") == "1" && minor == Schema.Minor)
            File.WriteAllText(path, lines);
        // a golden file lists columns in the order of its day; tables that came later may stand between
        Assert.Equal(
            File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n').Order(StringComparer.Ordinal),
            lines.Split('\n').Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void ALaterColumnIsNullable() =>
        Assert.All(
            Schema.All,
            t => Assert.All(t.Columns, c => Assert.True(c.Nullable || c.Since <= t.Since, $"{t.Name}.{c.Name}"))
        );

    public static TheoryData<string> OldFiles =>
        [.. Directory.GetFiles(Path.Combine(Folder, "1.1"), "*.parquet").Select(f => Path.GetFileName(f)!)];

    /// <summary>
    /// Files of schema 1.1, written by the lut of that day: later columns read as null, everything else as DuckDB reads
    /// it.
    /// </summary>
    [Theory]
    [MemberData(nameof(OldFiles))]
    public void AnOlderFileReads(string name)
    {
        string path = Path.Combine(Folder, "1.1", name);
        var (table, metadata) = TableFile.ReadWithMetadata(path);
        Assert.Equal("1.1", metadata["lut.schema_version"]);
        Assert.NotEmpty(table.Records);
        foreach (var c in table.Schema.Columns)
            if (c.Since > 1)
                Assert.All(table.Records, r => Assert.Null(c.Value(r)));
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        var first = table.Schema.Columns.First(c => c.Type == ColumnType.Text);
        command.CommandText = $"SELECT {first.Name}, count(*) OVER () FROM '{path}'";
        using var reader = command.ExecuteReader();
        Assert.True(reader.Read());
        Assert.Equal(first.Value(table.Records[0]), reader.GetString(0));
        Assert.Equal(table.Count, reader.GetInt64(1));
    }

    [Fact]
    public void OldAndNewFilesLieTogetherInOneQuery()
    {
        using var folder = new TemporaryFolder();
        TableFile.Write(folder["steps-00000.parquet"], Samples.Fill(Schema.Steps, 5), new Dictionary<string, string>());
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText =
            $"SELECT count(*), count(loss_bits) FROM read_parquet(['{folder["steps-00000.parquet"]}', '{Path.Combine(Folder, "1.1", "steps-00000.parquet")}'], "
            + "union_by_name=true)";
        using var reader = command.ExecuteReader();
        Assert.True(reader.Read());
        Assert.Equal(5 + TableFile.Read(Path.Combine(Folder, "1.1", "steps-00000.parquet")).Count, reader.GetInt64(0));
        Assert.Equal(reader.GetInt64(0), reader.GetInt64(1));
    }
}
