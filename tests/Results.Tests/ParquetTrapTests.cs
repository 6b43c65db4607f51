using DuckDB.NET.Data;
using ParquetSharp;

namespace LutNative.Results.Tests;

/// <summary>
/// Known traps of Parquet writers and readers, a test each; the files are read by Arrow C++ (ParquetSharp) and DuckDB.
/// Others are in <see cref="TableFileTests"/>.
/// </summary>
public sealed class ParquetTrapTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Tables => [.. Schema.All.Select(s => s.Name)];

    private static TableSchema Of(string name) => Schema.All.First(s => s.Name == name);

    private string Write(Table table, string file = "t-00000.parquet")
    {
        TableFile.Write(folder[file], table, new Dictionary<string, string> { ["lut.run_id"] = "run-1" });
        return folder[file];
    }

    private static object Scalar(string sql)
    {
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar()!;
    }

    /// <summary>Every value of every table, NaN payloads included, through Arrow C++.</summary>
    [Theory]
    [MemberData(nameof(Tables))]
    public void ArrowReadsEveryTableAndItsBits(string name)
    {
        var expected = Samples.Fill(Of(name), 40);
        using var file = new ParquetFileReader(Write(expected));
        using var group = file.RowGroup(0);
        Assert.Equal(40, group.MetaData.NumRows);
        for (int c = 0; c < expected.Schema.Columns.Count; c++)
        {
            var column = expected.Schema.Columns[c];
            using var reader = group.Column(c);
            Assert.Equal(column.Name, reader.ColumnDescriptor.Name);
            object?[] got = Read(reader, column);
            for (int r = 0; r < 40; r++)
            {
                object? want = column.Value(expected.Records[r]);
                Assert.True(
                    got[r] is null == want is null && Bits(got[r]).SequenceEqual(Bits(want)),
                    $"{name}.{column.Name} row {r}: {got[r]}, expected {want}"
                );
            }
        }
    }

    private static object?[] Read(ColumnReader reader, Column c) =>
        c.Type switch
        {
            ColumnType.Int32 => Values<int>(reader, c),
            ColumnType.Int64 => Values<long>(reader, c),
            ColumnType.UInt32 => Values<uint>(reader, c),
            ColumnType.Float32 => Values<float>(reader, c),
            ColumnType.Float64 => Values<double>(reader, c),
            ColumnType.Bool => Values<bool>(reader, c),
            ColumnType.Timestamp => Values<DateTime>(reader, c),
            ColumnType.Text => [.. reader.LogicalReader<string?>().ReadAll(40)],
            _ => [.. reader.LogicalReader<byte[]?>().ReadAll(40)],
        };

    private static object?[] Values<T>(ColumnReader reader, Column c)
        where T : struct =>
        c.Nullable
            ? [.. reader.LogicalReader<T?>().ReadAll(40).Select(v => (object?)v)]
            : [.. reader.LogicalReader<T>().ReadAll(40).Select(v => (object?)v)];

    private static byte[] Bits(object? v) =>
        v switch
        {
            null => [],
            float f => BitConverter.GetBytes(f),
            double d => BitConverter.GetBytes(d),
            byte[] b => b,
            DateTime t => BitConverter.GetBytes(t.Ticks),
            _ => System.Text.Encoding.UTF8.GetBytes(Table.Show(v)),
        };

    /// <summary>
    /// Only floats are byte-stream-split (DuckDB refuses split integers); only Zstandard (DuckDB refuses legacy LZ4);
    /// floats carry no min and max; times are INT64 microseconds in UTC, never INT96.
    /// </summary>
    [Theory]
    [MemberData(nameof(Tables))]
    public void EncodingsAreThoseThatEveryReaderTakes(string name)
    {
        using var file = new ParquetFileReader(Write(Samples.Fill(Of(name), 40)));
        using var group = file.RowGroup(0);
        for (int c = 0; c < Of(name).Columns.Count; c++)
        {
            var column = Of(name).Columns[c];
            using var chunk = group.MetaData.GetColumnChunkMetaData(c);
            bool isFloat = column.Type is ColumnType.Float32 or ColumnType.Float64;
            Assert.Equal(Compression.Zstd, chunk.Compression);
            Assert.Equal(isFloat, chunk.Encodings.Contains(Encoding.ByteStreamSplit));
            if (isFloat)
                Assert.False(chunk.Statistics?.HasMinMax ?? false, column.Name);
            if (column.Type == ColumnType.Timestamp)
                Assert.True(
                    file.FileMetaData.Schema.Column(c)
                        is {
                            PhysicalType: PhysicalType.Int64,
                            LogicalType: TimestampLogicalType { IsAdjustedToUtc: true, TimeUnit: TimeUnit.Micros }
                        },
                    column.Name
                );
            Assert.Equal(
                column.Nullable ? Repetition.Optional : Repetition.Required,
                file.FileMetaData.Schema.Column(c).SchemaNode.Repetition
            );
        }
    }

    /// <summary>
    /// Strings' statistics are ordered differently by different readers unless the text is ASCII: other characters
    /// become question marks when a row is added.
    /// </summary>
    [Fact]
    public void TextIsAscii()
    {
        var t = new Table<EventRow>(
            new[] { "plain", "ｚ😀", "�" }.SelectMany(s => Samples.Event(1).Rows.Select(r => r with { Key = s }))
        );
        Assert.Equal(["plain", "???", "?"], t.Rows.Select(r => r.Key));
        Assert.Equal(1L, Scalar($"SELECT count(*) FROM '{Write(t)}' WHERE key = 'plain'"));
    }

    [Fact]
    public void ANullableColumnWithoutNullsAndOneOfNullsAloneBothRead()
    {
        var row = Samples.Row(Schema.Throughput);
        var t = new Table<ThroughputRow>(
            Enumerable.Range(0, 3).Select(i => row with { JoulesPerImage = 0.5 * i, ClockMhz = null })
        );
        string path = Write(t);
        Assert.Equal(3L, Scalar($"SELECT count(joules_per_image) FROM '{path}'"));
        Assert.Equal(0L, Scalar($"SELECT count(*) FROM '{path}' WHERE clock_mhz >= 0 OR clock_mhz IS NOT NULL"));
        Assert.Equal(3L, Scalar($"SELECT count(*) FROM '{path}' WHERE clock_mhz IS NULL"));
    }

    [Table("odd")]
    private sealed record Odd<T>([property: Column] RunId RunId, [property: Column] T Value) : IRow;

    /// <summary>Types that the writer lacks are refused when a table is made, not when a file is half written.</summary>
    [Theory]
    [InlineData(typeof(Half))]
    [InlineData(typeof(Int128))]
    [InlineData(typeof(DateTimeOffset))]
    [InlineData(typeof(TimeSpan))]
    [InlineData(typeof(decimal))]
    [InlineData(typeof(bool?))]
    public void OtherTypesAreRefused(Type odd)
    {
        var table = typeof(Table<>).MakeGenericType(typeof(Odd<>).MakeGenericType(odd));
        var e = Assert.ThrowsAny<Exception>(() => ((Table)Activator.CreateInstance(table)!).Schema);
        Assert.Contains("no column holds a", e.ToString());
    }

    [Fact]
    public void TheSameRowsGiveTheSameBytes()
    {
        var t = Samples.Fill(Schema.Steps, 30);
        Assert.Equal(File.ReadAllBytes(Write(t, "a-00000.parquet")), File.ReadAllBytes(Write(t, "b-00000.parquet")));
    }

    /// <summary>
    /// A writer killed at any byte leaves something that nobody takes for a table: not we, not DuckDB, not Arrow.
    /// </summary>
    [Fact]
    public void NoHalfFileIsAccepted()
    {
        byte[] whole = File.ReadAllBytes(Write(Samples.Fill(Schema.Events, 40)));
        string half = folder["half.parquet"];
        for (int n = 0; n < whole.Length; n += Math.Max(1, whole.Length / 60))
        {
            File.WriteAllBytes(half, whole[..n]);
            Assert.Throws<ResultsException>(() => TableFile.Read(half));
            Assert.ThrowsAny<Exception>(() => Scalar($"SELECT count(*) FROM '{half}'"));
            Assert.ThrowsAny<Exception>(() => new ParquetFileReader(half).Dispose());
        }
    }

    /// <summary>
    /// Appending rewrites a footer in place, and a crash then loses the file: a commit writes a new part and touches no
    /// old one.
    /// </summary>
    [Fact]
    public void ACommitNeverTouchesAnOlderPart()
    {
        var store = RunStore.Create(folder["run"]);
        store.Commit([Samples.Fill(Schema.Events, 3)], new Dictionary<string, string>());
        string first = Directory.GetFiles(store.Folder).Single();
        byte[] before = File.ReadAllBytes(first);
        store.Commit([Samples.Fill(Schema.Events, 5)], new Dictionary<string, string>());
        Assert.Equal(before, File.ReadAllBytes(first));
        Assert.Equal(8, store.Read(Schema.Events).Count);
    }

    /// <summary>
    /// The library's own default is zstd 19, fifteen times slower for a hundredth of the size: a column takes what
    /// level Optimal takes, and not what SmallestSize does.
    /// </summary>
    [Fact]
    public async Task TheCompressionLevelIsChosen()
    {
        var t = new Table<PredictionRow>();
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
            t.Add(
                new PredictionRow
                {
                    RunId = new RunId("r"),
                    Metric = "m",
                    SampleIndex = i,
                    Label = random.Next(10),
                    Top1 = random.Next(10),
                    Margin = (float)random.NextDouble(),
                    MarginBits = new Bits32((uint)random.Next(1000)),
                }
            );
        int label = t.Schema.Columns.Select(c => c.Property).ToList().IndexOf(nameof(PredictionRow.Label));
        long ours = Size(Write(t), label);
        long optimal = await Direct(System.IO.Compression.CompressionLevel.Optimal);
        long smallest = await Direct(System.IO.Compression.CompressionLevel.SmallestSize);
        Assert.NotEqual(optimal, smallest);
        Assert.Equal(optimal, ours);

        async Task<long> Direct(System.IO.Compression.CompressionLevel level)
        {
            string path = folder[$"{level}.parquet"];
            var field = new Parquet.Schema.DataField<int>("label");
            await using (var stream = File.Create(path))
            await using (
                var writer = await Parquet.ParquetWriter.CreateAsync(
                    new Parquet.Schema.ParquetSchema(field),
                    stream,
                    new Parquet.ParquetOptions
                    {
                        CompressionMethod = Parquet.CompressionMethod.Zstd,
                        CompressionLevel = level,
                    }
                )
            )
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync<int>(field, t.Rows.Select(r => r.Label).ToArray().AsMemory());
                group.CompleteValidate();
            }
            return Size(path, 0);
        }

        static long Size(string path, int column)
        {
            using var file = new ParquetFileReader(path);
            using var group = file.RowGroup(0);
            using var chunk = group.MetaData.GetColumnChunkMetaData(column);
            return chunk.TotalCompressedSize;
        }
    }

    [Fact]
    public void TheWritersRealVersionIsRecorded()
    {
        var (_, metadata) = TableFile.ReadWithMetadata(Write(Samples.Fill(Schema.Events, 1)));
        // its assembly says 6.0.0.0
        Assert.StartsWith("Parquet.Net 6.1.0", metadata["lut.parquet_writer"], StringComparison.Ordinal);
    }

    /// <summary>A long string costs eight times its length in statistics: long values are blobs.</summary>
    [Fact]
    public void NothingLongIsText() =>
        Assert.DoesNotContain(
            Schema.All.SelectMany(t => t.Columns),
            c => c.Type == ColumnType.Text && (c.Name is "config_toml" or "argv" or "env_vars" or "reason")
        );
}
