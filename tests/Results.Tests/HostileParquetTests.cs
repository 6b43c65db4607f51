using System.Diagnostics;

namespace LutNative.Results.Tests;

/// <summary>
/// Files whose footer or page headers lie: each is refused at once, with its reason, and takes no memory that it merely
/// claims.
/// </summary>
public sealed class HostileParquetTests : IDisposable
{
    private static readonly string Trials = Path.Combine(
        Repository.Root,
        "tests",
        "fixtures",
        "trials",
        "90-broken-files"
    );
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Hanging =>
        [.. Directory.GetFiles(Trials, "hang-*.parquet").Select(f => Path.GetFileName(f)!)];

    /// <summary>Parquet.Net 6.1 never comes back from these.</summary>
    [Theory]
    [MemberData(nameof(Hanging))]
    public void AFooterWithoutAnEndIsRefused(string name)
    {
        long before = GC.GetTotalAllocatedBytes();
        var watch = Stopwatch.StartNew();
        Assert.Throws<DamagedParquetException>(() =>
            CheckedParquet.Open(Path.Combine(Trials, name), 1 << 30).Dispose()
        );
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2000);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100 << 20);
    }

    [Fact]
    public void ATableWithSuchAFooterIsNamed() =>
        Assert.Contains(
            "hang-devices.parquet is not a readable",
            Assert.Throws<ResultsException>(() => TableFile.Read(Path.Combine(Trials, "hang-devices.parquet"))).What
        );

    /// <summary>
    /// Every byte of a footer, each at eight other values: refused, or read to the end; never hung, never out of
    /// memory.
    /// </summary>
    [Fact]
    public void EveryByteOfAFooterMayLie()
    {
        TableFile.Write(
            folder["devices-00000.parquet"],
            Samples.Fill(Schema.Devices, 3),
            new Dictionary<string, string>()
        );
        byte[] whole = File.ReadAllBytes(folder["devices-00000.parquet"]);
        int length = BitConverter.ToInt32(whole, whole.Length - 8);
        int refused = 0;
        int read = 0;
        foreach (byte flip in new byte[] { 1, 16, 255 })
            for (int at = whole.Length - 8 - length; at < whole.Length; at++)
            {
                byte[] bytes = [.. whole];
                bytes[at] ^= flip;
                File.WriteAllBytes(folder["x.parquet"], bytes);
                try
                {
                    using var file = CheckedParquet.Open(folder["x.parquet"], 1 << 20);
                    read++;
                }
                catch (DamagedParquetException)
                {
                    refused++;
                }
            }
        Assert.True(refused > read / 4, $"{refused} refused, {read} opened");
    }

    /// <summary>
    /// A group inside a group, and so on: a hundred thousand times is more than the library's own stack bears.
    /// </summary>
    [Theory]
    [InlineData(100_000, new byte[] { 0xa0, 0x8d, 0x06 }, "schema has 100000 elements")]
    [InlineData(5_000, new byte[] { 0x88, 0x27 }, "nested more than 32 deep")]
    public void ADeepSchemaIsRefused(int depth, byte[] varint, string why)
    {
        List<byte> footer = [0x15, 0x02, 0x19, 0xfc, .. varint]; // version 1; schema: a list of that many structures
        for (int i = 0; i < depth; i++)
            footer.AddRange([0x48, 0x01, (byte)'g', 0x15, 0x02, 0x00]); // name "g", one child
        footer.AddRange([0x16, 0x00, 0x19, 0x0c, 0x00]); // no rows, no row groups
        File.WriteAllBytes(
            folder["deep.parquet"],
            [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Count), .. "PAR1"u8]
        );
        Assert.Contains(
            why,
            Assert
                .Throws<DamagedParquetException>(() => CheckedParquet.Open(folder["deep.parquet"], 1 << 20).Dispose())
                .Message
        );
    }

    /// <summary>A list of two thousand million elements in forty bytes.</summary>
    [Fact]
    public void AListNeedsABytePerElement()
    {
        byte[] footer = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x48, 0x01, (byte)'g', 0x00];
        File.WriteAllBytes(
            folder["list.parquet"],
            [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8]
        );
        Assert.Contains(
            "claims 2147483647 elements",
            Assert
                .Throws<DamagedParquetException>(() => CheckedParquet.Open(folder["list.parquet"], 1 << 20).Dispose())
                .Message
        );
    }

    /// <summary>
    /// What other writers make is read: every table through ParquetSharp (Arrow C++), in each compression.
    /// </summary>
    [Theory]
    [InlineData(ParquetSharp.Compression.Uncompressed)]
    [InlineData(ParquetSharp.Compression.Snappy)]
    [InlineData(ParquetSharp.Compression.Gzip)]
    [InlineData(ParquetSharp.Compression.Brotli)]
    [InlineData(ParquetSharp.Compression.Lz4)]
    [InlineData(ParquetSharp.Compression.Zstd)]
    public void ArrowsFilesAreWhole(ParquetSharp.Compression compression)
    {
        string path = folder["arrow.parquet"];
        ParquetSharp.Column[] columns =
        [
            new ParquetSharp.Column<byte[]>("image"),
            new ParquetSharp.Column<long>("label"),
            new ParquetSharp.Column<string?>("name"),
            new ParquetSharp.Column<int[]>("list"),
        ];
        using (var writer = new ParquetSharp.ParquetFileWriter(path, columns, compression))
        {
            for (int g = 0; g < 3; g++)
            {
                using var group = writer.AppendRowGroup();
                var random = new Random(g);
                using (var c = group.NextColumn().LogicalWriter<byte[]>())
                    c.WriteBatch([.. Enumerable.Range(0, 200).Select(i => RandomBytes(random, i * 100))]);
                using (var c = group.NextColumn().LogicalWriter<long>())
                    c.WriteBatch([.. Enumerable.Range(0, 200).Select(i => (long)i % 7)]);
                using (var c = group.NextColumn().LogicalWriter<string?>())
                    c.WriteBatch([.. Enumerable.Range(0, 200).Select(i => i % 3 == 0 ? null : $"name {i}")]);
                using (var c = group.NextColumn().LogicalWriter<int[]>())
                    c.WriteBatch([.. Enumerable.Range(0, 200).Select(i => new int[i % 4])]);
            }
            writer.Close();
        }
        CheckedParquet.Open(path, 64 << 20).Dispose();
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>
    /// Every byte of a column's page headers at other values: the table is read as it was, or refused in time; no claim
    /// is believed.
    /// </summary>
    [Fact]
    public void EveryByteOfAPageHeaderMayLie()
    {
        var table = Samples.Fill(Schema.Env, 20);
        TableFile.Write(folder["env-00000.parquet"], table, new Dictionary<string, string>());
        byte[] whole = File.ReadAllBytes(folder["env-00000.parquet"]);
        string content = table.RowsSha256();
        int refused = 0;
        var watch = Stopwatch.StartNew();
        long before = GC.GetTotalAllocatedBytes();
        for (int at = 4; at < 120; at++)
            foreach (byte flip in new byte[] { 1, 0x80, 0xff })
            {
                byte[] bytes = [.. whole];
                bytes[at] ^= flip;
                File.WriteAllBytes(folder["x.parquet"], bytes);
                try
                {
                    Assert.Equal(content, TableFile.Read(folder["x.parquet"]).RowsSha256());
                }
                catch (ResultsException)
                {
                    refused++;
                }
            }
        Assert.True(refused > 100, $"{refused} refused");
        Assert.InRange(watch.ElapsedMilliseconds, 0, 20_000);
        Assert.InRange((GC.GetTotalAllocatedBytes() - before) / (348 << 10), 0, 4096); // 4 MiB a file
    }

    /// <summary>Nobody writes to the pipe: waiting for it would be for ever.</summary>
    [Fact]
    public void APipeIsNoTable()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("pipes have no names in folders");
        Process.Start("mkfifo", folder["steps-00000.parquet"]).WaitForExit();
        Assert.Contains(
            "a pipe or a device",
            Assert.Throws<ResultsException>(() => TableFile.Read(folder["steps-00000.parquet"])).Why
        );
    }
}
