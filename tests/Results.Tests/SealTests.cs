using System.Text;
using Parquet;
using Parquet.Schema;

namespace LutNative.Results.Tests;

/// <summary>
/// A table is read only if it holds the rows that it was written with: their number, their hashes, their types, each
/// key once.
/// </summary>
public sealed class SealTests : IDisposable
{
    private static readonly string Old = Path.Combine(Repository.Root, "tests", "fixtures", "schema", "1.1");
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Write(Table table, string name)
    {
        TableFile.Write(folder[name], table, new Dictionary<string, string> { ["lut.run_id"] = "run-1" });
        return folder[name];
    }

    /// <summary>Puts other text of the same length into a file.</summary>
    private static void Replace(string path, string text, string by)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
        Assert.True(at >= 0 && text.Length == by.Length);
        Encoding.UTF8.GetBytes(by).CopyTo(bytes, at);
        File.WriteAllBytes(path, bytes);
    }

    private static ResultsException Refused(string path) => Assert.Throws<ResultsException>(() => TableFile.Read(path));

    [Theory]
    [InlineData("lut.content_sha256")]
    [InlineData("lut.rows_sha256")]
    public void AHashThatTheRowsDoNotGiveIsDamageWithBothValues(string key)
    {
        string path = Write(Samples.Fill(Schema.Evals, 3), "evals-00000.parquet");
        string real = TableFile.ReadWithMetadata(path).Metadata[key];
        string other = (real[0] == 'a' ? "b" : "a") + real[1..];
        Replace(path, real, other);
        var e = Refused(path);
        Assert.Equal((StoreFault.Damaged, path), (e.Fault, e.Where));
        Assert.Contains($"{key} is {other}", e.Why);
        Assert.Contains(real, e.Why);
    }

    [Fact]
    public void AnotherNumberOfRowsIsDamage()
    {
        var (table, _) = TableFile.ReadWithMetadata(Write(Samples.Fill(Schema.Evals, 37), "evals-00000.parquet"));
        Replace(folder["evals-00000.parquet"], "\u000clut.rowcount\u0018\u000237", "\u000clut.rowcount\u0018\u000238");
        Assert.Contains("lut.rowcount is 38, its rows give 37", Refused(folder["evals-00000.parquet"]).Why);
    }

    [Theory]
    [InlineData("lut.content_sha256")]
    [InlineData("lut.rowcount")]
    public void ASealThatIsMissingIsDamage(string key)
    {
        string path = Write(Samples.Fill(Schema.Evals, 3), "evals-00000.parquet");
        Replace(path, key, key[..^1] + "x");
        var e = Refused(path);
        Assert.Equal(StoreFault.Damaged, e.Fault);
        Assert.Contains($"{key} is missing", e.Why);
    }

    /// <summary>A column of an older version that was edited: its hash was over the columns of its day.</summary>
    [Theory]
    [InlineData("evals-00000.parquet")]
    [InlineData("steps-00000.parquet")]
    [InlineData("run-00000.parquet")]
    public void OlderFilesAreHeldToTheirOwnHash(string name)
    {
        File.Copy(Path.Combine(Old, name), folder[name]);
        string real = TableFile.ReadWithMetadata(folder[name]).Metadata["lut.content_sha256"];
        Replace(folder[name], real, (real[0] == 'a' ? "b" : "a") + real[1..]);
        Assert.Equal(StoreFault.Damaged, Refused(folder[name]).Fault);
    }

    /// <summary>
    /// A file that calls itself newer than this lut, yet has no column that this one does not know, is held to its hash
    /// as well.
    /// </summary>
    [Fact]
    public void ANewerVersionIsNoWayAroundTheHash()
    {
        string path = Write(Samples.Fill(Schema.Evals, 3), "evals-00000.parquet");
        Replace(
            path,
            $"lut.schema_version\u0018\u0003{Schema.Major}.{Schema.Minor}",
            $"lut.schema_version\u0018\u0003{Schema.Major}.9"
        );
        Assert.Equal(3, TableFile.Read(path).Count);
        string real = TableFile.ReadWithMetadata(path).Metadata["lut.content_sha256"];
        Replace(path, real, (real[0] == 'a' ? "b" : "a") + real[1..]);
        Assert.Equal(StoreFault.Damaged, Refused(path).Fault);
    }

    [Theory]
    [InlineData("0.9")]
    [InlineData("2.0")]
    [InlineData("1.x")]
    public void AnotherMajorVersionIsNotGuessedAt(string version)
    {
        string path = Write(Samples.Fill(Schema.Evals, 3), "evals-00000.parquet");
        Replace(
            path,
            $"lut.schema_version\u0018\u0003{Schema.Major}.{Schema.Minor}",
            $"lut.schema_version\u0018\u0003{version}"
        );
        Assert.Equal(StoreFault.NewerSchema, Refused(path).Fault);
    }

    /// <summary>
    /// Columns of other types, or null where there must be a value, are named; none is read as something else.
    /// </summary>
    [Theory]
    [InlineData("metric", typeof(int), false)]
    [InlineData("correct", typeof(int), false)]
    [InlineData("correct", typeof(long), true)]
    [InlineData("value", typeof(float), false)]
    [InlineData("split", typeof(byte[]), false)]
    public async Task AColumnOfAnotherTypeIsNamed(string name, Type type, bool nullable)
    {
        DataField[] fields =
        [
            .. Schema.Evals.Columns.Select(c =>
                c.Name == name ? new DataField(name, type, nullable) : new DataField(c.Name, Clr(c.Type), c.Nullable)
            ),
        ];
        await using (var stream = File.Create(folder["evals-00000.parquet"]))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream))
        {
            writer.CustomMetadata = new Dictionary<string, string>
            {
                ["lut.table"] = "evals",
                ["lut.schema_version"] = "1.2",
                ["lut.rowcount"] = "0",
                ["lut.content_sha256"] = new Table<EvalRow>().ContentSha256(),
            };
        }
        Assert.Contains($"its column {name} holds", Refused(folder["evals-00000.parquet"]).Why);
    }

    private static Type Clr(ColumnType type) =>
        type switch
        {
            ColumnType.Text => typeof(string),
            ColumnType.Blob => typeof(byte[]),
            ColumnType.Int64 => typeof(long),
            _ => typeof(double),
        };

    public static TheoryData<string> Keyed => [.. Schema.All.Where(t => t.Key is not null).Select(t => t.Name)];

    /// <summary>Two processes on one folder left every step twice; what compares by key then crashed.</summary>
    [Theory]
    [MemberData(nameof(Keyed))]
    public void AKeyThatComesTwiceIsDamageWithItsName(string name)
    {
        var schema = Schema.All.Single(t => t.Name == name);
        var store = RunStore.Create(folder["run"]);
        for (int part = 0; part < 2; part++)
            store.Commit([Samples.Fill(schema, 1)], new Dictionary<string, string>());
        var e = Assert.Throws<ResultsException>(() => store.Read(schema));
        Assert.Equal(StoreFault.Damaged, e.Fault);
        foreach (var column in schema.Key!)
            Assert.Contains(column.Name + "=", e.What);
        Assert.Contains("twice", e.What);
    }

    /// <summary>A part under another table's name: its rows would be read as that table's.</summary>
    [Fact]
    public void ARenamedPartIsDamage()
    {
        var store = RunStore.Create(folder["run"]);
        store.Commit([Samples.Fill(Schema.Evals, 2)], new Dictionary<string, string>());
        File.Move(Path.Combine(store.Folder, "evals-00000.parquet"), Path.Combine(store.Folder, "steps-00000.parquet"));
        var e = Assert.Throws<ResultsException>(() => store.Read(Schema.Steps));
        Assert.Equal((StoreFault.Damaged, "steps-00000.parquet holds the table evals"), (e.Fault, e.What));
    }

    [Fact]
    public void ComparisonAndReferenceSayDamageToo()
    {
        var store = RunStore.Create(folder["run"]);
        for (int part = 0; part < 2; part++)
            store.Commit(
                [Samples.Fill(Schema.Steps, 2), Samples.Fill(Schema.Predictions, 2)],
                new Dictionary<string, string>()
            );
        foreach (
            var read in new Action[]
            {
                () => Comparison.Exact(store, store),
                () => Divergence.Growth(store, store),
                () => Divergence.Flips(store, store),
            }
        )
            Assert.Equal(StoreFault.Damaged, Assert.Throws<ResultsException>(read).Fault);
    }
}
