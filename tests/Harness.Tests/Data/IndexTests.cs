using System.IO.Compression;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using Parquet;
using Parquet.Schema;

namespace LutNative.Harness.Tests.Data;

/// <summary>An index is made once, kept where it can be, and never taken for another's.</summary>
public sealed class IndexTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void NamesWithLineFeedsKeepTheirIndex()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no such names on Windows");
        Trials.Put(Path.Combine(folder["train"], "a", "x\n::error::\\y\r\t.jpg"), Trials.Jpeg());
        var said = new List<string>();
        string hash = DataSets.Open(folder.Path, "train", said.Add).Sha256;
        Assert.NotEmpty(said);
        said.Clear();
        Assert.Equal(hash, DataSets.Open(folder.Path, "train", said.Add).Sha256);
        Assert.Empty(said);
        Assert.Equal(2, File.ReadAllLines(folder["lut-index.train.tsv"]).Length);
    }

    /// <summary>The first place that can be written keeps it; a place that cannot be is named.</summary>
    [Fact]
    public void WhatCannotBeWrittenHereIsWrittenThere()
    {
        Trials.Put(Path.Combine(folder["train"], "a", "1.jpg"), Trials.Jpeg());
        var index = ImageIndex.Build(new ImageFolder(folder["train"]));
        File.WriteAllText(folder["file"], "");
        string there = Path.Combine(folder["cache"], "lut", "index.tsv");
        var said = new List<string>();
        IndexPlaces.Keep(index, [Path.Combine(folder["file"], "index.tsv"), there], asked: false, said.Add);
        Assert.True(
            File.Exists(there)
                && said.Single().StartsWith($"index written to {there} (not to ", StringComparison.Ordinal),
            said[0]
        );
        said.Clear();
        IndexPlaces.Keep(index, [Path.Combine(folder["file"], "index.tsv")], asked: false, said.Add);
        Assert.Contains("cannot be kept", said.Single());
    }

    /// <summary>A folder that cannot be written is hashed once, and the cache answers the next time.</summary>
    [Fact]
    public void AReadOnlyFolderIsIndexedOnce()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "folders have no such permission on Windows");
        string data = folder["data"];
        Trials.Put(Path.Combine(data, "train", "a", "1.jpg"), Trials.Jpeg());
        var environment = new Dictionary<string, string> { ["XDG_CACHE_HOME"] = folder["cache"] };
        using (ReadOnly(data))
        {
            var first = Cli.Lut.RunWith(environment, "data", "index", data);
            Assert.SkipWhen(File.Exists(Path.Combine(data, "lut-index.train.tsv")), "this user may write everywhere");
            Assert.True(first.Exit == 0 && first.Error.Contains("index written to " + folder["cache"]), first.Error);
            var second = Cli.Lut.RunWith(environment, "data", "index", data);
            Assert.Equal(("", first.Out), (second.Error, second.Out));
        }
    }

    [Fact]
    public void AnIndexThatWasAskedForIsAFileOrLiesInAFolder()
    {
        Trials.Put(Path.Combine(folder["train"], "a", "1.jpg"), Trials.Jpeg());
        Directory.CreateDirectory(folder["indexes"]);
        DataSets.Open(folder.Path, "train", index: folder["indexes"]);
        Assert.True(File.Exists(Path.Combine(folder["indexes"], "lut-index.train.tsv")));
        DataSets.Open(folder.Path, "train", index: folder["own.tsv"]);
        Assert.True(File.Exists(folder["own.tsv"]) && !File.Exists(folder["lut-index.train.tsv"]));
        Assert.Equal("LUT2446", Assert.Throws<LutError>(() => IndexPlaces.FolderOf(folder["own.tsv"])).Id);
        Assert.Equal(
            "LUT9447",
            Assert
                .Throws<LutError>(() =>
                    DataSets.Open(folder.Path, "train", index: Path.Combine(folder["own.tsv"], "x.tsv"))
                )
                .Id
        );
    }

    [Fact]
    public void AnIndexThatCannotBeReadIsNotStale()
    {
        Trials.Put(Path.Combine(folder["train"], "a", "1.jpg"), Trials.Jpeg());
        Directory.CreateDirectory(folder["lut-index.train.tsv"]);
        Assert.Equal("LUT6444", Assert.Throws<LutError>(() => DataSets.Open(folder.Path, "train")).Id);
    }

    /// <summary>1 MB of gzip that unpacks to 1 GB is refused by what its header promises.</summary>
    [Fact]
    public void AGzipBombIsRefusedBeforeItIsUnpacked()
    {
        byte[] header = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28];
        using (var gzip = new GZipStream(File.Create(folder["train-images-idx3-ubyte.gz"]), CompressionLevel.Fastest))
        {
            gzip.Write(header);
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 100; i++)
                gzip.Write(zeros);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<LutError>(() => DataSets.Open(folder.Path, "train"));
        Assert.True(e.Id == "LUT6003" && e.Message.Contains("more follow"), e.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }

    public static TheoryData<Type> Integers() =>
        [
            typeof(sbyte),
            typeof(byte),
            typeof(short),
            typeof(ushort),
            typeof(int),
            typeof(uint),
            typeof(long),
            typeof(ulong),
        ];

    [Theory]
    [MemberData(nameof(Integers))]
    public Task LabelsMayBeAnyInteger(Type type) =>
        (Task)
            typeof(IndexTests)
                .GetMethod(
                    nameof(Labels),
                    System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic
                )!
                .MakeGenericMethod(type)
                .Invoke(this, [])!;

    private async Task Labels<T>()
        where T : struct, System.Numerics.INumber<T>
    {
        var images = new DataField<byte[]>("bytes");
        foreach (bool nullable in new[] { false, true })
        {
            var labels = nullable ? new DataField<T?>("label") : (DataField)new DataField<T>("label");
            string path = Path.Combine(folder[$"{nullable}"], "train-0.parquet");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using (var stream = File.Create(path))
            {
                await using var writer = await ParquetWriter.CreateAsync(
                    new ParquetSchema(new StructField("image", images), labels),
                    stream
                );
                using var group = writer.CreateRowGroup();
                await group.WriteAsync(images, new[] { Trials.Jpeg(), Trials.Jpeg() });
                T seven = T.CreateChecked(7);
                T nine = T.CreateChecked(9);
                if (nullable)
                    await group.WriteAsync<T>(labels, new T?[] { seven, nine }.AsMemory());
                else
                    await group.WriteAsync<T>(labels, new T[] { seven, nine }.AsMemory());
                group.CompleteValidate();
            }
            Assert.Equal([7, 9], DataSets.Open(folder[$"{nullable}"], "train").Labels);
        }
    }

    private static ReadOnlyFolder ReadOnly(string path) => new(path);

    private sealed class ReadOnlyFolder : IDisposable
    {
        private const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.UserExecute;
        private readonly string path;

        internal ReadOnlyFolder(string path)
        {
            this.path = path;
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, Read);
        }

        public void Dispose()
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, Read | UnixFileMode.UserWrite);
        }
    }
}
