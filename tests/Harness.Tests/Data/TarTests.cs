using System.Formats.Tar;
using System.IO.Compression;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;

namespace LutNative.Harness.Tests.Data;

/// <summary>A shard's entries are taken, counted or refused by name: none vanishes.</summary>
public sealed class TarTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("05-tar-samples-dropped", "t_dots.tar", "n015.00.jpg has the key n015 and the extension 00.jpg")]
    [InlineData("05-tar-samples-dropped", "t_dots_mixed.tar", "22.05.jpg has the key 22")]
    [InlineData("05-tar-samples-dropped", "t_allwebp.tar", "w1.webp is an image of a kind that is not read")]
    [InlineData("90-broken-files", "tar-pax-size.tar", "")]
    [InlineData("90-broken-files", "tar-sparse.tar", "")]
    public void TrialsAreRefused(string trial, string file, string says)
    {
        Trials.Put(Path.Combine(folder["train"], file), Trials.Bytes(trial, file));
        Refused("LUT6012", says);
    }

    public static TheoryData<string, string[], string> Sets() =>
        new()
        {
            {
                "two extensions",
                ["0.input.jpg", "0.target.png", "0.cls"],
                "0.input.jpg has the key 0 and the extension input.jpg"
            },
            { "a bitmap", ["a.bmp", "a.cls", "b.jpg", "b.cls"], "a.bmp is an image of a kind that is not read (bmp)" },
            { "a label alone", ["a.jpg", "a.cls", "b.cls"], "b.cls is a label without an image" },
            { "an image alone", ["a.jpg", "a.cls", "b.jpg"], "b.jpg has no label b.cls" },
            { "two images", ["a.jpg", "a.png", "a.cls"], "a has two images, a.jpg and a.png" },
            { "twice", ["a.jpg", "a.cls", "a.jpg"], "a.jpg appears twice" },
            { "a fork of macOS", ["a.jpg", "a.cls", "._a.jpg"], "COPYFILE_DISABLE" },
            { "no key", [".jpg"], "has no key" },
            { "a line feed", ["a\n::error::.webp"], "a\\n::error::.webp is an image" },
        };

    [Theory]
    [MemberData(nameof(Sets))]
    public void AnEntryThatIsNotTakenIsNamed(string what, string[] names, string says)
    {
        Write(names);
        Assert.True(Refused("LUT6012", says).Split('\n').Length == 4, what);
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink, "a symbolic link")]
    [InlineData(TarEntryType.HardLink, "a hard link")]
    [InlineData(TarEntryType.Fifo, "a pipe")]
    [InlineData(TarEntryType.CharacterDevice, "a device")]
    public void LinksAndDevicesAreRefused(TarEntryType type, string says)
    {
        using (var tar = new TarWriter(Shard()))
        {
            tar.WriteEntry(File("a.jpg", "x"));
            tar.WriteEntry(File("a.cls", "1"));
            var link = new PaxTarEntry(type, "b.jpg");
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                link.LinkName = "a.jpg";
            tar.WriteEntry(link);
        }
        Refused("LUT6012", "b.jpg is " + says);
    }

    [Fact]
    public void JoinedShardsAreRefused()
    {
        byte[] one = Whole("a.jpg", "a.cls");
        byte[] two = Whole("b.jpg", "b.cls");
        Trials.Put(Path.Combine(folder["train"], "0.tar"), [.. one, .. two]);
        Refused("LUT6012", "joined tar files");
    }

    [Fact]
    public void AShardCutBetweenEntriesIsRefused()
    {
        byte[] whole = Whole("a.jpg", "a.cls", "b.jpg", "b.cls");
        // two entries of a header and a block each
        Trials.Put(Path.Combine(folder["train"], "0.tar"), whole[..2048]);
        Refused("LUT6012", "without the block of zeros");
    }

    [Fact]
    public void APackedShardSaysWhatItIs()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Whole("a.jpg", "a.cls"));
        Trials.Put(Path.Combine(folder["train"], "0.tar"), packed.ToArray());
        Refused("LUT6012", "a gzip file; unpack it first");
    }

    [Theory]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0 }, "a zstd file")]
    [InlineData(new byte[] { 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0 }, "an xz file")]
    [InlineData(new byte[] { 0x42, 0x5a, 0x68, 0x39, 0, 0, 0 }, "a bzip2 file")]
    [InlineData(new byte[0], "the file is empty")]
    public void OtherFormatsSayWhatTheyAre(byte[] head, string says)
    {
        Trials.Put(Path.Combine(folder["train"], "0.tar"), head);
        Refused("LUT6012", says);
    }

    [Fact]
    public void TwoSizesOfOneEntryAreRefused()
    {
        using (var tar = new TarWriter(Shard()))
            tar.WriteEntry(
                new PaxTarEntry(
                    TarEntryType.RegularFile,
                    "a.jpg",
                    new Dictionary<string, string> { ["comment"] = "size=3" }
                )
                {
                    DataStream = new MemoryStream(new byte[600]),
                }
            );
        string path = Path.Combine(folder["train"], "0.tar");
        string text = System.Text.Encoding.Latin1.GetString(System.IO.File.ReadAllBytes(path));
        // the record keeps its length: "NN comment=size=3" becomes "NN size=000000003"
        System.IO.File.WriteAllBytes(
            path,
            System.Text.Encoding.Latin1.GetBytes(
                text.Replace(" comment=size=3\n", " size=000000003\n", StringComparison.Ordinal)
            )
        );
        Refused("LUT6012", "has two sizes");
    }

    [Fact]
    public void AnEmptySplitIsRefused()
    {
        // what `tar -cf` makes of nothing
        Trials.Put(Path.Combine(folder["train"], "0.tar"), new byte[10_240]);
        Refused("LUT6441", "0.tar has no image");
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void EveryFormatIsReadAndTheRestIsTold(TarEntryFormat format)
    {
        string deep = format is TarEntryFormat.Pax or TarEntryFormat.Gnu ? new string('d', 120) + ".dir/" : "dir.d/";
        using (var tar = new TarWriter(Shard(), format))
        {
            if (format != TarEntryFormat.V7)
                tar.WriteEntry(Entry(format, TarEntryType.Directory, "dir.d/", null));
            foreach (
                var (name, text) in new[]
                {
                    ("1.json", "{}"),
                    ("1.jpg", "one"),
                    ("1.cls", "7"),
                    ("2.cls", " 3\n"),
                    ("2.PNG", "second"),
                    ("2.txt", "t"),
                    ("README", "r"),
                }
            )
                tar.WriteEntry(
                    Entry(
                        format,
                        format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile,
                        deep + name,
                        text
                    )
                );
        }
        var said = new List<string>();
        using var shards = (TarShards)DataSets.Container(folder.Path, "train", said.Add);
        Assert.Equal([7, 3], shards.Places.Select(p => p.Label));
        Assert.Equal(
            ["one", "second"],
            shards.Places.Select(p => System.Text.Encoding.ASCII.GetString(shards.Read(p)))
        );
        Assert.Equal("not used: 1 x a name without extension, 1 x .json, 1 x .txt", Assert.Single(shards.Notes));
    }

    private static System.Formats.Tar.TarEntry Entry(
        TarEntryFormat format,
        TarEntryType type,
        string name,
        string? text
    )
    {
        System.Formats.Tar.TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(type, name),
            TarEntryFormat.Ustar => new UstarTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            _ => new PaxTarEntry(type, name),
        };
        if (text is not null)
            entry.DataStream = new MemoryStream(System.Text.Encoding.ASCII.GetBytes(text));
        return entry;
    }

    private static UstarTarEntry File(string name, string text) =>
        new(TarEntryType.RegularFile, name)
        {
            DataStream = new MemoryStream(System.Text.Encoding.ASCII.GetBytes(text)),
        };

    private FileStream Shard()
    {
        Directory.CreateDirectory(folder["train"]);
        return System.IO.File.Create(Path.Combine(folder["train"], "0.tar"));
    }

    private void Write(string[] names)
    {
        using var tar = new TarWriter(Shard());
        foreach (string name in names)
            tar.WriteEntry(File(name, "1"));
    }

    private byte[] Whole(params string[] names)
    {
        Write(names);
        return System.IO.File.ReadAllBytes(Path.Combine(folder["train"], "0.tar"));
    }

    private string Refused(string id, string says)
    {
        var e = Assert.Throws<LutError>(() => DataSets.Open(folder.Path, "train"));
        Assert.True(e.Id == id && e.Exit == Exit.Data && e.Message.Contains(says, StringComparison.Ordinal), e.Message);
        return e.Message;
    }
}
