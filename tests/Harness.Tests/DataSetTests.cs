using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Numerics;
using SkiaSharp;

namespace LutNative.Harness.Tests;

/// <summary>One ImageNet of 1000 classes in three containers, made once for the tests of a class.</summary>
public sealed class SyntheticSet : IDisposable
{
    public SyntheticSet()
    {
        Folder = Path.Combine(Root, "folder");
        Tar = Path.Combine(Root, "tar");
        Parquet = Path.Combine(Root, "parquet");
        SyntheticImageNet.Folder(Folder, 1000, 1, 1);
        SyntheticImageNet.Tar(Folder, Tar, 300);
        SyntheticImageNet.Parquet(Folder, Parquet, 400).GetAwaiter().GetResult();
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("lut-images-").FullName;
    public string Folder { get; }
    public string Tar { get; }
    public string Parquet { get; }

    /// <summary>Options that bring imagenet-lut-vitb16@1 down to this set and to seconds.</summary>
    public static string[] Scaled { get; } =
    [
        "--set",
        "data.train_images=1000",
        "--set",
        "data.test_images=1000",
        "--set",
        "data.image_size=32",
        "--set",
        "model.width=48",
        "--set",
        "model.depth=2",
        "--set",
        "model.heads=3",
        "--set",
        "model.decoder_width=32",
        "--set",
        "model.decoder_depth=1",
        "--set",
        "model.decoder_heads=2",
        "--set",
        "pretrain.epochs=2",
        "--set",
        "pretrain.warmup_epochs=1.0",
        "--set",
        "pretrain.batch=400",
        "--set",
        "pretrain.bn_batch=200",
        "--set",
        "pretrain.grain=20",
        "--set",
        "pretrain.head_mlp_dim=64",
        "--set",
        "pretrain.digest_every=2",
        "--set",
        "finetune.epochs=1",
        "--set",
        "finetune.warmup_epochs=0.0",
        "--set",
        "finetune.batch=200",
        "--set",
        "finetune.grain=20",
        "--set",
        "finetune.digest_every=5",
        "--set",
        "transform.mix_batch=20",
        "--set",
        "transform.eval_resize=36",
        "--set",
        "model.patch_size=8",
        "--set",
        "probe.epochs=2",
        "--set",
        "probe.batch=200",
        "--set",
        "linprobe.epochs=2",
        "--set",
        "linprobe.warmup_epochs=1.0",
        "--set",
        "linprobe.batch=400",
        "--set",
        "linprobe.bn_batch=200",
        "--set",
        "linprobe.grain=20",
        "--set",
        "linprobe.digest_every=2",
    ];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>
/// Folders, tar and Parquet shards of the same images are the same data; what is wrong with one is named.
/// </summary>
public sealed class DataSetTests(SyntheticSet set) : IClassFixture<SyntheticSet>
{
    [Fact]
    public void EveryContainerGivesTheSameSamples()
    {
        var digests = new List<string>();
        var protocol = ProtocolReader
            .Load("imagenet-lut-vitb16@1", ["data.image_size=32", "transform.eval_resize=36", "model.patch_size=8"])
            .Spec;
        foreach (string folder in new[] { set.Folder, set.Tar, set.Parquet })
        foreach (string split in new[] { "train", "val" })
        {
            var images = DataSets.Open(folder, split);
            Assert.Equal(1000, images.Count);
            Assert.Equal(Enumerable.Range(0, 1000), images.Labels.Order());
            var views = new Views(protocol, images);
            var planes = new float[3 * 32 * 32];
            var sum = new Digest();
            for (int i = 0; i < images.Count; i += 7)
                foreach (
                    Action<int> make in new Action<int>[]
                    {
                        s => views.Weak(s, 1, 0, planes),
                        s => views.Strong(s, 1, 1, planes),
                        s => views.Train(s, 1, 11, planes),
                        s => views.Probe(s, 1, 13, 0.08, planes),
                        s => views.Plain(s, planes),
                    }
                )
                {
                    make(i);
                    Assert.True(planes.AsSpan().IndexOfAnyExceptInRange(-10f, 10f) < 0);
                    sum += Digest.Of(planes);
                }
            digests.Add($"{split} {images.Sha256} {sum}");
        }
        Assert.Equal(2, digests.Distinct().Count());
    }

    [Fact]
    public void AnIndexIsKeptAndBelievedOnlyWhileItFits()
    {
        using var copy = new Cli.TemporaryFolder();
        SyntheticImageNet.Folder(copy.Path, 4, 2, 1);
        var said = new List<string>();
        string hash = DataSets.Open(copy.Path, "train", said.Add).Sha256;
        Assert.Contains(said, s => s.Contains("index written"));
        said.Clear();
        Assert.Equal(hash, DataSets.Open(copy.Path, "train", said.Add).Sha256);
        Assert.Empty(said);
        // another length: the index is stale and made again
        string victim = Directory
            .GetFiles(Directory.GetDirectories(copy["train"]).Order(StringComparer.Ordinal).First())
            .First();
        File.AppendAllText(victim, "x");
        Assert.NotEqual(hash, DataSets.Open(copy.Path, "train", said.Add).Sha256);
        Assert.Contains(said, s => s.Contains("is not") && s.Contains("bytes"));
        // the same length, another bit: found when it is read
        var open = DataSets.Open(copy.Path, "train");
        byte[] bytes = File.ReadAllBytes(victim);
        bytes[^1] ^= 1;
        File.WriteAllBytes(victim, bytes);
        Assert.Contains(
            "not those that were indexed",
            Assert.Throws<ImageException>(() => DataSets.Open(copy.Path, "train").Read(0)).Message
        );
        Assert.Contains("not those that were indexed", Assert.Throws<ImageException>(() => open.Read(0)).Message);
    }

    public static TheoryData<string, byte[], string> BadImages()
    {
        using var bitmap = new SKBitmap(20, 20);
        byte[] Encode(SKEncodedImageFormat f) => SKImage.FromBitmap(bitmap).Encode(f, 90).ToArray();
        byte[] jpeg = Encode(SKEncodedImageFormat.Jpeg);
        byte[] png = Encode(SKEncodedImageFormat.Png);
        byte[] webp = Encode(SKEncodedImageFormat.Webp);
        byte[] wide = [.. png];
        byte[] bomb = [.. png];
        wide[24] = 16;
        foreach (int at in new[] { 16, 20 })
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(at), 60_000);
        return new()
        {
            { "empty", [], "empty" },
            { "text", "hello, image"u8.ToArray(), "neither JPEG nor PNG" },
            { "webp", webp, "neither JPEG nor PNG" },
            { "16 bits", wide, "16 bits" },
            { "a bomb", bomb, "" },
            { "a cut JPEG", jpeg[..(jpeg.Length / 2)], "" },
            { "a cut PNG", png[..(png.Length / 2)], "" },
            { "a header alone", jpeg[..20], "" },
        };
    }

    [Theory]
    [MemberData(nameof(BadImages))]
    public void AnImageThatIsNoneIsRefusedByName(string what, byte[] bytes, string says)
    {
        var e = Assert.Throws<ImageException>(() => Decoder.Decode(bytes, what));
        Assert.StartsWith(what + ": ", e.Message);
        Assert.Contains(says, e.Message);
    }

    /// <summary>A camera's orientation is not applied, as torchvision's loader does not.</summary>
    [Fact]
    public void OrientationIsNotApplied()
    {
        using var bitmap = new SKBitmap(30, 10);
        byte[] jpeg = SKImage.FromBitmap(bitmap).Encode(SKEncodedImageFormat.Jpeg, 90).ToArray();
        // an APP1 segment with orientation 6 (turn by a right angle) after the start marker
        byte[] exif =
        [
            0xff,
            0xe1,
            0,
            34,
            .. "Exif\0\0"u8,
            .. "II*\0"u8,
            8,
            0,
            0,
            0,
            1,
            0,
            0x12,
            1,
            3,
            0,
            1,
            0,
            0,
            0,
            6,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        var p = Decoder.Decode([.. jpeg[..2], .. exif, .. jpeg[2..]], "turned");
        Assert.Equal((30, 10), (p.Width, p.Height));
    }

    [Fact]
    public void RandomResizedCropStaysInsideAndErasingInItsBounds()
    {
        var spec = ProtocolReader.Load("imagenet-lut-vitb16@1", []).Spec;
        var t = spec.Transform! with { EraseProb = 1.0 };
        int erased = 0;
        for (int i = 0; i < 200; i++)
        {
            var planes = new float[3 * 64 * 64];
            RandomErasing.Run(planes, 64, t, new Philox(3, Purpose.Erase, (ulong)i, 0, 0));
            int touched = planes.AsSpan(0, 64 * 64).ToArray().Count(x => x != 0);
            if (touched > 0)
                erased++;
            Assert.InRange(touched, 0, (int)(64 * 64 * (t.EraseAreaMax + 0.05)));
        }
        Assert.InRange(erased, 190, 200);
    }

    /// <summary>Every number of the published protocols says where it is from, or that it is assumed.</summary>
    [Fact]
    public void EveryValueOfAPublishedProtocolHasACitation()
    {
        foreach (string name in ProtocolReader.BuiltIn.Where(n => n.StartsWith("imagenet-", StringComparison.Ordinal)))
        {
            var p = ProtocolReader.Load(name, []);
            string section = "";
            foreach (string line in p.Toml.Split('\n'))
            {
                if (line.StartsWith('['))
                    section = line.Trim('[', ']') + ".";
                if (!line.Contains(" = ", StringComparison.Ordinal) || section.Length == 0)
                    continue;
                var (value, where, citation) = ProtocolReader.Explain(p, section + line.Split(' ')[0]);
                Assert.True(value.Length > 0 && where.Contains(".toml:", StringComparison.Ordinal), line);
                Assert.True(
                    citation.Length > 3 || section + line.Split(' ')[0] is "pretrain.method" or "data.classes",
                    $"{name}: {section}{line} has no source"
                );
            }
            Assert.True(p.Spec.Pretrain.Batch == 4096 && p.Spec.Finetune.Batch == 1024, name);
        }
        Assert.Equal(2.4e-3, 1.5e-4 * Math.Sqrt(4096) / 4, 12);
    }

    [Theory]
    [InlineData(999, 1000, "LUT6015")]
    [InlineData(1000, 999, "LUT6016")]
    [InlineData(1000, 1001, "LUT6016")]
    public void AnotherCountOrMappingOfClassesIsRefused(int images, int classes, string id)
    {
        var spec = ProtocolReader.Load("imagenet-lut-vitb16@1", []).Spec.Data with
        {
            TrainImages = images,
            TestImages = 1000,
            Classes = classes,
        };
        Assert.Equal(id, Assert.Throws<LutError>(() => DataSets.Load(spec, set.Folder)).Id);
    }

    /// <summary>
    /// A validation folder that lacks one class would shift every later label by one (mae issue 169's kind of mistake).
    /// </summary>
    [Fact]
    public void SplitsOfDifferentClassesAreRefused()
    {
        using var copy = new Cli.TemporaryFolder();
        SyntheticImageNet.Folder(copy.Path, 4, 1, 1);
        string gone = Directory.GetDirectories(copy["val"]).Order(StringComparer.Ordinal).ElementAt(1);
        Directory.Delete(gone, recursive: true);
        var spec = ProtocolReader.Load("imagenet-lut-vitb16@1", []).Spec.Data with
        {
            TrainImages = 4,
            TestImages = 3,
            Classes = 4,
        };
        var e = Assert.Throws<LutError>(() => DataSets.Load(spec, copy.Path));
        Assert.True(e.Id == "LUT6022" && e.Message.Contains(Path.GetFileName(gone)), e.Message);
    }

    [Theory]
    [InlineData("no label", "a.jpg", "LUT6012")]
    [InlineData("a label that is none", "a.cls", "LUT6012")]
    public void AShardThatIsNoneIsRefused(string what, string entry, string id)
    {
        using var folder = new Cli.TemporaryFolder();
        Directory.CreateDirectory(folder["train"]);
        using (var tar = new System.Formats.Tar.TarWriter(File.Create(Path.Combine(folder["train"], "x.tar"))))
            tar.WriteEntry(
                new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, entry)
                {
                    DataStream = new MemoryStream("not a number"u8.ToArray()),
                }
            );
        var e = Assert.Throws<LutError>(() => DataSets.Open(folder.Path, "train"));
        Assert.True(e.Id == id, what + ": " + e.Message);
    }

    [Fact]
    public void DataCommandsSayWhatAFolderIs()
    {
        using var copy = new Cli.TemporaryFolder();
        SyntheticImageNet.Folder(copy.Path, 5, 3, 1);
        var r = Cli.Lut.Run("data", "index", copy.Path);
        Assert.True(
            r.Exit == 0 && r.Out.StartsWith("15 images, 5 classes, data_hash ", StringComparison.Ordinal),
            r.Out + r.Error
        );
        r = Cli.Lut.Run("data", "stats", copy.Path, "--json");
        using var json = System.Text.Json.JsonDocument.Parse(r.Out);
        Assert.Equal(
            (15, 0),
            (json.RootElement.GetProperty("images").GetInt32(), json.RootElement.GetProperty("refused").GetInt32())
        );
        Assert.InRange(json.RootElement.GetProperty("shorter_side_median").GetInt32(), 40, 80);
        string victim = Directory
            .GetFiles(Directory.GetDirectories(copy["train"]).Order(StringComparer.Ordinal).Last())
            .Order(StringComparer.Ordinal)
            .Last();
        byte[] bytes = File.ReadAllBytes(victim);
        bytes[bytes.Length / 2] ^= 255;
        File.WriteAllBytes(victim, bytes);
        r = Cli.Lut.Run("data", "check", copy.Path);
        Assert.Equal(6, r.Exit);
        Assert.Contains(Path.GetFileName(victim), r.Out);
        Assert.Contains("14 of 15 images are whole", r.Out);
        r = Cli.Lut.Run("data", "index", Path.Combine(copy.Path, "nowhere"));
        Assert.Equal(6, r.Exit);
        Assert.Contains("LUT6004", r.Error);
    }
}
