using DuckDB.NET.Data;
using Parquet;
using Parquet.Schema;

namespace LutNative.Results.Tests;

/// <summary>
/// What is written is read, by us and by DuckDB, bit for bit; what is not ours, newer or damaged is refused.
/// </summary>
public sealed class TableFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Tables => [.. Schema.All.Select(s => s.Name)];

    private static TableSchema Of(string name) => Schema.All.First(s => s.Name == name);

    private string Write(string name, int rows)
    {
        string path = folder[$"{name}-00000.parquet"];
        TableFile.Write(
            path,
            Samples.Fill(Of(name), rows),
            new Dictionary<string, string> { ["lut.run_id"] = "run-1" }
        );
        return path;
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void EveryTableSurvivesARoundTrip(string name)
    {
        var expected = Samples.Fill(Of(name), 50);
        var (actual, metadata) = TableFile.ReadWithMetadata(Write(name, 50));
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.ContentSha256(), actual.ContentSha256());
        Assert.Equal(expected.ContentSha256(), metadata["lut.content_sha256"]);
        for (int r = 0; r < 50; r++)
            foreach (var c in expected.Schema.Columns)
            {
                string want = Table.Show(c.Value(expected.Records[r]));
                string got = Table.Show(c.Value(actual.Records[r]));
                Assert.True(want == got, $"{name}.{c.Name} row {r}: {got}, expected {want}");
            }
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void DuckDbReadsEveryTableAndItsBits(string name)
    {
        var expected = Samples.Fill(Of(name), 50);
        string path = Write(name, 50);
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText = $"SELECT * FROM '{path}'";
        using var reader = command.ExecuteReader();
        int row = 0;
        for (; reader.Read(); row++)
        for (int c = 0; c < expected.Schema.Columns.Count; c++)
        {
            object? want = expected.Schema.Columns[c].Value(expected.Records[row]);
            object? got = reader.IsDBNull(c) ? null : reader.GetValue(c);
            string at = $"{name}.{expected.Schema.Columns[c].Name} row {row}";
            switch (want)
            {
                case null:
                    Assert.True(got is null, at);
                    break;
                case float f:
                    Assert.True(
                        BitConverter.SingleToUInt32Bits(f) == BitConverter.SingleToUInt32Bits((float)got!)
                            || (float.IsNaN(f) && float.IsNaN((float)got!)),
                        at
                    );
                    break;
                case byte[] b:
                    using (var stream = (Stream)got!)
                    using (var copy = new MemoryStream())
                    {
                        stream.CopyTo(copy);
                        Assert.Equal(b, copy.ToArray());
                    }
                    break;
                case DateTime t:
                    Assert.Equal(t, DateTime.SpecifyKind((DateTime)got!, DateTimeKind.Utc));
                    break;
                default:
                    Assert.True(want.Equals(got), $"{at}: {got}, expected {want}");
                    break;
            }
        }
        Assert.Equal(50, row);
    }

    [Fact]
    public void ANaNDoesNotHideRowsFromAFilter()
    {
        // Parquet statistics with NaN make DuckDB drop rows; byte-stream-split columns carry none
        var row = Samples.Row(Schema.Predictions);
        float[] x = [1, 2, float.NaN, 900, 3];
        var t = new Table<PredictionRow>(
            x.Select((v, i) => row with { SampleIndex = i, Margin = v, MarginBits = Bits32.Of(v) })
        );
        TableFile.Write(folder["p-00000.parquet"], t, new Dictionary<string, string>());
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText =
            $"SELECT count(*) FROM '{folder["p-00000.parquet"]}' WHERE margin > 100 AND NOT isnan(margin)";
        Assert.Equal(1L, Convert.ToInt64(command.ExecuteScalar()));
    }

    [Fact]
    public void ALongTextIsStoredOnceAsABlob()
    {
        var t = new Table<RunRow>([Samples.Row(Schema.Run) with { ConfigToml = new byte[100_000] }]);
        TableFile.Write(folder["run-00000.parquet"], t, new Dictionary<string, string>());
        Assert.InRange(new FileInfo(folder["run-00000.parquet"]).Length, 1, 60_000);
    }

    [Fact]
    public void ANullWhereNoneIsAllowedIsRefusedBeforeAnythingIsWritten()
    {
        Assert.Contains(
            "events.key must not be null",
            Assert.Throws<ArgumentException>(() => Samples.Event(1, null!)).Message
        );
        Assert.Contains(
            "events.run_id must not be null",
            Assert
                .Throws<ArgumentException>(() =>
                    new Table<EventRow>(Samples.Event(1).Rows.Select(r => r with { RunId = default }))
                )
                .Message
        );
    }

    [Fact]
    public void TheSameRowsGiveTheSameContentHashWhateverTheNonExactColumns()
    {
        var a = Samples.Row(Schema.Evals);
        var b = a with { RunId = new RunId("run b"), Value = 60, WallNs = 456 };
        Assert.Equal(Hash(a), Hash(b));
        Assert.NotEqual(Hash(a), Hash(b with { Correct = a.Correct + 1 }));
        static string Hash(EvalRow row) => new Table<EvalRow>([row]).ContentSha256();
    }

    [Fact]
    public async Task ANewerSchemaIsRefused()
    {
        string path = folder["steps-00000.parquet"];
        var field = new DataField<int>("x");
        await using (var stream = File.Create(path))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream))
        {
            writer.CustomMetadata = new Dictionary<string, string>
            {
                ["lut.table"] = "steps",
                ["lut.schema_version"] = "2.0",
            };
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<int>(field, new[] { 1 }.AsMemory());
        }
        var e = Assert.Throws<ResultsException>(() => TableFile.Read(path));
        Assert.Equal(StoreFault.NewerSchema, e.Fault);
        Assert.Contains("schema 2.0", e.What);
        Assert.Contains("newer lut", e.Fix);
    }

    [Fact]
    public async Task SomebodyElsesParquetIsRefused()
    {
        string path = folder["x.parquet"];
        var field = new DataField<int>("x");
        await using (var stream = File.Create(path))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<int>(field, new[] { 1 }.AsMemory());
        }
        Assert.Contains("not written by lut", Assert.Throws<ResultsException>(() => TableFile.Read(path)).What);
    }

    [Fact]
    public void ATruncatedFileIsRefusedByName()
    {
        string path = Write("steps", 20);
        byte[] whole = File.ReadAllBytes(path);
        foreach (int n in new[] { 0, 3, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(path, whole[..n]);
            var e = Assert.Throws<ResultsException>(() => TableFile.Read(path));
            Assert.Equal(StoreFault.Unreadable, e.Fault);
            Assert.Contains("steps-00000.parquet", e.What);
        }
    }

    [Fact]
    public void AFolderThatCannotBeWrittenIsOneClearErrorAndLeavesNothing()
    {
        File.WriteAllText(folder["file"], "");
        var e = Assert.Throws<ResultsException>(() =>
            TableFile.Write(
                Path.Combine(folder["file"], "steps-00000.parquet"),
                Samples.Fill(Schema.Steps, 3),
                new Dictionary<string, string>()
            )
        );
        Assert.Equal(StoreFault.CannotWrite, e.Fault);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }
}
