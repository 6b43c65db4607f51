using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LutNative.Results.Tests;

/// <summary>
/// Files with bytes flipped, cut out, doubled, replaced or brought in from another file: a table is read with exactly
/// the rows that were written or refused with a reason, in time; a manifest's damage is found; a reference is refused
/// or says the same. 300 files in the suite, 20,000 with LUT_FUZZ=20000 (LUT_FUZZ_SEED chooses others; the last one's
/// bytes lie in the folder of LUT_FUZZ_KEEP).
/// </summary>
public sealed class MutationTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task NoMutatedFileIsTakenForTheWhole()
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("LUT_FUZZ") ?? "300", CultureInfo.InvariantCulture);
        int seed = int.Parse(Environment.GetEnvironmentVariable("LUT_FUZZ_SEED") ?? "13", CultureInfo.InvariantCulture);
        var tables = Schema.All.Select((s, i) => (Schema: s, Table: Samples.Fill(s, 5 + 9 * i))).ToList();
        foreach (var (schema, table) in tables)
            TableFile.Write(folder[schema.Name], table, new Dictionary<string, string> { ["lut.run_id"] = "run-1" });
        var (files, hashes) = (
            tables.Select(t => File.ReadAllBytes(folder[t.Schema.Name])).ToList(),
            tables.Select(t => t.Table.RowsSha256()).ToList()
        );
        string[] reference =
        [
            .. File.ReadAllLines(Path.Combine(Repository.Root, "results", "reference", "hello@1.digests")).Take(60),
        ];
        var run = RunStore.Create(folder["folder"]);
        run.Commit([Samples.Fill(Schema.Events, 3), Samples.Fill(Schema.Steps, 3)], new Dictionary<string, string>());
        run.WriteManifest();
        byte[] manifest = File.ReadAllBytes(Path.Combine(run.Folder, RunStore.ManifestName));
        byte[] digests = Encoding.UTF8.GetBytes(string.Join('\n', reference));
        var random = new Random(seed);
        var found = new SortedDictionary<string, int>();
        var slowest = TimeSpan.Zero;
        for (int i = 0; i < count; i++)
        {
            int t = random.Next(files.Count + 2);
            byte[] whole =
                t < files.Count ? files[t]
                : t == files.Count ? manifest
                : digests;
            byte[] bytes = Mutate(whole, files[random.Next(files.Count)], random);
            if (bytes.AsSpan().SequenceEqual(whole))
                continue;
            if (Environment.GetEnvironmentVariable("LUT_FUZZ_KEEP") is { } keep)
                File.WriteAllBytes(Path.Combine(keep, "last"), bytes);
            var watch = Stopwatch.StartNew();
            // xunit's thread would wait for ever with a reader that never ends
            var outcome = Task.Run(() =>
                t < files.Count ? OfTable(bytes, hashes[t], tables[t].Table.ContentSha256())
                : t == files.Count ? OfManifest(bytes, manifest, run)
                : OfReference(bytes, reference)
            );
            await Task.WhenAny(outcome, Task.Delay(Deadline + Deadline));
            Assert.True(outcome.IsCompleted, $"mutation {i} of seed {seed} does not end");
            string result = await outcome;
            if (watch.Elapsed > slowest)
                slowest = watch.Elapsed;
            found[result] = found.GetValueOrDefault(result) + 1;
            Assert.False(
                result.StartsWith("WRONG", StringComparison.Ordinal),
                $"mutation {i} of seed {seed}: {result}"
            );
        }
        TestContext.Current.SendDiagnosticMessage(
            string.Join(", ", found.Select(f => $"{f.Key}: {f.Value}"))
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"; slowest {slowest.TotalMilliseconds:f0} ms, peak memory "
                        + $"{Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"
                )
        );
        if (Environment.GetEnvironmentVariable("LUT_FUZZ_KEEP") is { } place)
            File.WriteAllText(
                Path.Combine(place, "figures"),
                string.Join("\n", found.Select(f => $"{f.Key}: {f.Value}"))
                    + string.Create(
                        CultureInfo.InvariantCulture,
                        $"\nslowest {slowest.TotalMilliseconds:f0} ms, peak memory "
                            + $"{Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB\n"
                    )
            );
        Assert.InRange(slowest, TimeSpan.Zero, Deadline);
        Assert.True(found.GetValueOrDefault("table refused") > count / 4);
    }

    /// <summary>
    /// Other people's files (image shards) carry no seal: what counts is that reading them ends, in any way, and in
    /// time.
    /// </summary>
    [Theory]
    [InlineData(ParquetSharp.Compression.Uncompressed)]
    [InlineData(ParquetSharp.Compression.Snappy)]
    [InlineData(ParquetSharp.Compression.Zstd)]
    public async Task ReadingAForeignFileEnds(ParquetSharp.Compression compression)
    {
        using (
            var writer = new ParquetSharp.ParquetFileWriter(
                folder["arrow.parquet"],
                [
                    new ParquetSharp.Column<byte[]>("image"),
                    new ParquetSharp.Column<long>("label"),
                    new ParquetSharp.Column<int?>("maybe"),
                ],
                compression
            )
        )
        {
            using var group = writer.AppendRowGroup();
            using (var c = group.NextColumn().LogicalWriter<byte[]>())
                c.WriteBatch([.. Enumerable.Range(0, 60).Select(i => new byte[i])]);
            using (var c = group.NextColumn().LogicalWriter<long>())
                c.WriteBatch([.. Enumerable.Range(0, 60).Select(i => (long)i % 7)]);
            using (var c = group.NextColumn().LogicalWriter<int?>())
                c.WriteBatch([.. Enumerable.Range(0, 60).Select(i => i % 3 == 0 ? (int?)null : i)]);
            writer.Close();
        }
        byte[] whole = File.ReadAllBytes(folder["arrow.parquet"]);
        var random = new Random(13);
        int count = int.Parse(Environment.GetEnvironmentVariable("LUT_FUZZ") ?? "300", CultureInfo.InvariantCulture);
        for (int i = 0; i < count; i++)
        {
            File.WriteAllBytes(folder["x.parquet"], Mutate(whole, whole, random));
            var reading = Task.Run(async () =>
            {
                try
                {
                    using var file = CheckedParquet.Open(folder["x.parquet"], 16 << 20);
                    await using var reader = await Parquet.ParquetReader.CreateAsync(file);
                    foreach (var group in reader.RowGroups)
                    foreach (var field in reader.Schema.GetDataFields())
                        (await group.ReadRawColumnDataBaseAsync(field)).Dispose();
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    // refused by us or by the library, in whatever words
                }
            });
            await Task.WhenAny(reading, Task.Delay(Deadline + Deadline));
            Assert.True(reading.IsCompleted, $"mutation {i} does not end");
            await reading;
        }
    }

    private string OfTable(byte[] bytes, string hash, string content)
    {
        File.WriteAllBytes(folder["x.parquet"], bytes);
        try
        {
            var (table, metadata) = TableFile.ReadWithMetadata(folder["x.parquet"]);
            // before 1.3 files had no hash of all columns: one whose key was hit is held to its exact ones
            if (Schema.Minor < 3 && !metadata.ContainsKey("lut.rows_sha256") && table.ContentSha256() == content)
                return "table with its exact columns as they were";
            return table.RowsSha256() == hash
                ? "table as it was"
                : $"WRONG: a table {table.Schema.Name} with other rows was accepted, "
                    + $"{string.Join(", ", metadata.Select(m => m.Key + "=" + m.Value))}";
        }
        catch (ResultsException)
        {
            return "table refused";
        }
        catch (Exception e)
        {
            return $"WRONG: {e}";
        }
    }

    private static string OfManifest(byte[] bytes, byte[] whole, RunStore run)
    {
        File.WriteAllBytes(Path.Combine(run.Folder, RunStore.ManifestName), bytes);
        try
        {
            // ends of lines and empty lines are no matter
            string Lines(byte[] b) =>
                string.Join(
                    '\n',
                    new StreamReader(new MemoryStream(b))
                        .ReadToEnd()
                        .ReplaceLineEndings("\n")
                        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                );
            return run.Damage().Count > 0 ? "manifest's damage found"
                : Lines(bytes) == Lines(whole) ? "manifest as it was"
                : "WRONG: a manifest with other lines was accepted";
        }
        catch (Exception e)
        {
            return $"WRONG: {e}";
        }
    }

    /// <summary>
    /// A reference has no seal: another digest in it is another reference. What counts is that it is refused or parsed.
    /// </summary>
    private string OfReference(byte[] bytes, string[] whole)
    {
        File.WriteAllBytes(folder["x.digests"], bytes);
        try
        {
            return Reference.Parse(Reference.Read(folder["x.digests"]), "x").Values.SequenceEqual(whole.Skip(1))
                ? "reference as it was"
                : "reference with other lines parsed";
        }
        catch (ResultsException)
        {
            return "reference refused";
        }
        catch (Exception e)
        {
            return $"WRONG: {e}";
        }
    }

    private static byte[] Mutate(byte[] whole, byte[] other, Random random)
    {
        byte[] bytes = [.. whole];
        for (int times = 1 + random.Next(3); times > 0; times--)
        {
            // half of the changes fall into the last quarter: the footer says more than the pages do
            int at =
                random.Next(2) == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(1 + bytes.Length / 4);
            int length = 1 + random.Next(Math.Min(64, bytes.Length - at));
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = random.Next(2) == 0 ? (byte)0xff : (byte)0;
                    break;
                case 3:
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
                case 4:
                    bytes = [.. bytes[..at], .. bytes[at..(at + length)], .. bytes[at..]];
                    break;
                case 5:
                    bytes =
                        random.Next(3) == 0
                            ? bytes[..at]
                            : [.. bytes[..at], .. bytes[(at + length)..], .. new byte[length]];
                    break;
                default:
                    int from = random.Next(other.Length);
                    int some = Math.Min(length, Math.Min(other.Length - from, bytes.Length - at));
                    other.AsSpan(from, some).CopyTo(bytes.AsSpan(at));
                    break;
            }
            if (bytes.Length == 0)
                return [0];
        }
        return bytes;
    }
}
