using System.Buffers.Binary;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Tests.Cli;
using LutNative.Model.Checkpoints;

namespace LutNative.Harness.Tests.Data;

/// <summary>One rule for labels, whichever way a folder comes in: the data set's own names win.</summary>
public sealed class LabelTests : IDisposable
{
    // in order they are labels 0 to 9; the second one is the number 9
    private static readonly string[] Names = ["0", "09", "1", "2", "3", "4", "5", "6", "7", "8"];

    private static readonly string[] Network =
    [
        "data.name=image-folder",
        "data.classes=10",
        "data.test_images=20",
        "data.image_size=32",
        "transform.eval_resize=36",
        "model.patch_size=8",
        "model.width=32",
        "model.depth=2",
        "model.heads=2",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A validation split is all that evaluating weights needs, and --over its own folder gives the same
    /// labels as --data.</summary>
    [Fact]
    public void NumberedFoldersHaveOneAnswerAndValidationAloneIsEnough()
    {
        Classes("val", Names);
        string checkpoint = Path.Combine(Repository.Root, "tests", "fixtures", "torch", "finetuned.pth");
        foreach (var (name, more) in new[] { ("a", Array.Empty<string>()), ("b", ["--over", folder["val"]]) })
        {
            var r = Lut.Run([
                "classify",
                "imagenet-lut-vitb16@1",
                "--checkpoint",
                checkpoint,
                "--data",
                folder.Path,
                "--logits",
                folder[name],
                .. Network.SelectMany(s => new[] { "--set", s }),
                .. more,
            ]);
            Assert.True(r.Exit == 0, r.Error);
        }
        Assert.Equal(Labels("a"), Labels("b"));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i / 2), Labels("a"));
    }

    [Fact]
    public void NumbersCountOnlyWhereNoNameIsKnown()
    {
        Classes("some", ["2", "09"]);
        Assert.Equal([1, 1, 3, 3], new Subset(folder["some"], Names, 10).Labels);
        Assert.Equal([9, 9, 2, 2], new Subset(folder["some"], ["n0", "n1", "n2", "n3"], 10).Labels);
        Assert.Equal([9, 9, 2, 2], new Subset(folder["some"], null, 10).Labels);
        Assert.Equal("LUT6018", Assert.Throws<LutError>(() => new Subset(folder["some"], ["0", "2"], 10)).Id);
        Assert.Equal("LUT6018", Assert.Throws<LutError>(() => new Subset(folder["some"], null, 9)).Id);
        Classes("some", ["9"]);
        Assert.Equal("LUT6450", Assert.Throws<LutError>(() => new Subset(folder["some"], null, 10)).Id);
    }

    [Fact]
    public void ValidationAloneIsCheckedAsWithTraining()
    {
        var spec = ProtocolReader.Load("imagenet-lut-vitb16@1", Network).Spec.Data;
        Classes("val", Names[..9]);
        Assert.Equal(
            "LUT6453",
            Assert.Throws<LutError>(() => DataSets.LoadTest(spec with { TestImages = 18 }, folder.Path)).Id
        );
        Classes("val", Names);
        Assert.Equal(
            "LUT6015",
            Assert.Throws<LutError>(() => DataSets.LoadTest(spec with { TestImages = 18 }, folder.Path)).Id
        );
        Assert.Equal(20, DataSets.LoadTest(spec, folder.Path).Count);
        Classes("train", Names[1..]);
        Assert.Equal("LUT6022", Assert.Throws<LutError>(() => DataSets.LoadTest(spec, folder.Path)).Id);
    }

    [Fact]
    public void StatsSayWhatASetIs()
    {
        Classes("train", Names);
        Trials.Put(Path.Combine(folder["train"], "0", "bad.png"), Trials.Bytes("18-messages", "adler.png"));
        var r = Lut.Run("data", "stats", folder.Path, "--json");
        using var json = System.Text.Json.JsonDocument.Parse(r.Out);
        var root = json.RootElement;
        Assert.Equal(20, root.GetProperty("kinds").GetProperty("JPEG colour").GetInt32());
        Assert.Equal("0/bad.png: its checksum is wrong", root.GetProperty("refused_images")[0].GetString());
        Assert.Equal("09", root.GetProperty("class_names")[1].GetString());
        Assert.InRange(root.GetProperty("mean")[0].GetDouble(), 0.1, 0.9);
        r = Lut.Run("data", "stats", folder.Path);
        Assert.Contains("10, first 0", r.Out);
        Assert.Contains("refused: 0/bad.png", r.Out);
    }

    private void Classes(string split, string[] names)
    {
        foreach (string name in names)
        foreach (int i in new[] { 0, 1 })
            Trials.Put(Path.Combine(folder[split], name, $"{i}.jpg"), Trials.Jpeg());
    }

    private int[] Labels(string name)
    {
        var bytes = Safetensors.Read(folder[name]).Tensors["labels"].Bytes.ToArray();
        return
        [
            .. Enumerable
                .Range(0, bytes.Length / 8)
                .Select(i => (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8 * i))),
        ];
    }
}
