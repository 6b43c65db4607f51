using LutNative.Model.Checkpoints;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// convert, classify and --checkpoint with files that PyTorch wrote, on a data set of the user's own.
/// </summary>
public sealed class CheckpointCommandTests
{
    private static readonly string Torch = Path.Combine(Repository.Root, "tests", "fixtures", "torch");

    // the network of tests/fixtures/torch/make.py, and ten classes of synthetic images
    private static readonly string[] Network =
    [
        "--set",
        "data.name=image-folder",
        "--set",
        "data.classes=10",
        "--set",
        "data.train_images=40",
        "--set",
        "data.test_images=20",
        "--set",
        "data.image_size=32",
        "--set",
        "transform.eval_resize=36",
        "--set",
        "model.patch_size=8",
        "--set",
        "model.width=32",
        "--set",
        "model.depth=2",
        "--set",
        "model.heads=2",
        "--set",
        "model.decoder_width=16",
        "--set",
        "model.decoder_depth=1",
        "--set",
        "model.decoder_heads=2",
        "--set",
        "pretrain.batch=20",
        "--set",
        "pretrain.bn_batch=20",
        "--set",
        "pretrain.grain=10",
        "--set",
        "pretrain.head_mlp_dim=32",
        "--set",
        "finetune.batch=20",
        "--set",
        "finetune.grain=10",
        "--set",
        "transform.mix_batch=10",
        "--set",
        "finetune.epochs=2",
        "--set",
        "finetune.warmup_epochs=0.0",
        "--set",
        "probe.epochs=1",
        "--set",
        "probe.batch=20",
        "--set",
        "knn.k=5",
        "--set",
        "linprobe.batch=20",
        "--set",
        "linprobe.bn_batch=20",
        "--set",
        "linprobe.grain=10",
        "--set",
        "linprobe.epochs=1",
        "--set",
        "linprobe.warmup_epochs=0.0",
    ];

    [Fact]
    public void AClassifierOfPyTorchIsConvertedAndEvaluated()
    {
        using var folder = new TemporaryFolder();
        SyntheticImageNet.Folder(folder["data"], 10, 4, 2);
        var r = Lut.Run("convert", Path.Combine(Torch, "finetuned.pth"), folder["c.safetensors"]);
        Assert.True(r.Exit == 0 && r.Out.Contains("written to"), r.Out + r.Error);
        Lut.Result Classify(string file, params string[] more) =>
            Lut.Run([
                "classify",
                "imagenet-lut-vitb16@1",
                "-q",
                "--data",
                folder["data"],
                "--checkpoint",
                file,
                .. Network,
                .. more,
            ]);
        r = Classify(Path.Combine(Torch, "finetuned.pth"), "--logits", folder["a.safetensors"], "--json");
        Assert.True(r.Exit == 0, r.Out + r.Error);
        using var json = System.Text.Json.JsonDocument.Parse(r.Out);
        Assert.Equal(20, json.RootElement.GetProperty("results")[0].GetProperty("n").GetInt32());
        Assert.Equal(0, Classify(folder["c.safetensors"], "--logits", folder["b.safetensors"], "--threads", "1").Exit);
        Assert.True(
            File.ReadAllBytes(folder["a.safetensors"])
                .AsSpan()
                .SequenceEqual(File.ReadAllBytes(folder["b.safetensors"]))
        );
        Assert.Equal([20L, 10L], Safetensors.Read(folder["a.safetensors"]).Tensors["logits"].Shape);
        // a robustness set: two of the classes, found by their folders' names
        string[] classes =
        [
            .. Directory.GetDirectories(Path.Combine(folder["data"], "val")).Order(StringComparer.Ordinal),
        ];
        foreach (int c in new[] { 3, 7 })
        {
            Directory.CreateDirectory(Path.Combine(folder["some"], Path.GetFileName(classes[c])));
            foreach (string f in Directory.GetFiles(classes[c]))
                File.Copy(f, Path.Combine(folder["some"], Path.GetFileName(classes[c]), Path.GetFileName(f)));
        }
        r = Classify(folder["c.safetensors"], "--over", folder["some"], "--over", Path.Combine(folder["data"], "val"));
        Assert.True(r.Exit == 0 && r.Out.Contains("/4") && r.Out.Contains("mean error over 2 sets"), r.Out + r.Error);
        Directory.Move(
            Path.Combine(folder["some"], Path.GetFileName(classes[3])),
            Path.Combine(folder["some"], "n99999999")
        );
        r = Classify(folder["c.safetensors"], "--over", folder["some"]);
        Assert.True(r.Exit == 6 && r.Error.Contains("n99999999"), r.Error);
        // another network
        r = Classify(folder["c.safetensors"], "--set", "model.depth=3");
        Assert.True(r.Exit == 6 && r.Error.Contains("blocks.2.norm1.weight"), r.Error);
    }

    /// <summary>
    /// A trunk without decoder and heads, as MAE publishes it: fine-tuned on another set, with what was not there told.
    /// </summary>
    [Fact]
    public void AForeignTrunkIsFineTunedOnAnotherSet()
    {
        using var folder = new TemporaryFolder();
        SyntheticImageNet.Folder(folder["data"], 10, 4, 2);
        // the classifier's fixture has no final norm: add one, as a pre-trained trunk has
        using (var set = WeightSet.Open(Path.Combine(Torch, "finetuned.pth")))
        using (var to = File.Create(folder["trunk.safetensors"]))
        {
            var tensors = set.Tensors.Values.SelectMany(t =>
                t.Name.StartsWith("fc_norm.", StringComparison.Ordinal)
                    ? new[] { (t.Name, Tensor: t), (Name: t.Name[3..], Tensor: t) }
                    : [(t.Name, Tensor: t)]
            );
            Safetensors.Write(
                to,
                [
                    .. tensors.Select(t => new SafeTensor(
                        t.Name,
                        "F32",
                        [.. t.Tensor.Shape],
                        System.Runtime.InteropServices.MemoryMarshal.AsBytes(t.Tensor.Floats().AsSpan()).ToArray()
                    )),
                ],
                new Dictionary<string, string>()
            );
        }
        Lut.Result Run(string verb, string file, string output) =>
            Lut.Run([
                verb,
                "imagenet-lut-vitb16@1",
                "--data",
                folder["data"],
                "--checkpoint",
                file,
                "-o",
                folder[output],
                .. Network,
            ]);
        var r = Run("finetune", folder["trunk.safetensors"], "runs");
        Assert.True(r.Exit == 0 && r.Out.Contains("finetune_top1"), r.Out + r.Error);
        Assert.Contains("not used (fc_norm.bias, fc_norm.weight, head.bias, head.weight)", r.Error);
        Assert.Contains("decoder_embed", r.Error);
        Assert.Contains("linprobe_top1", Run("eval", folder["trunk.safetensors"], "evals").Out);
        r = Run("finetune", Path.Combine(Torch, "strided.pt"), "none");
        Assert.True(r.Exit == 6 && r.Error.Contains("shares no tensor"), r.Error);
        r = Run("finetune", Path.Combine(Torch, "make.py"), "none");
        Assert.True(r.Exit == 6 && r.Error.Contains("zip"), r.Error);
    }

    /// <summary>
    /// A sparse file of more than 4 GiB (trial 01): its tensors are listed at once, and the encoder inside is used.
    /// </summary>
    [Fact]
    public void AFileBeyond32BitsIsListedAndProven()
    {
        using var folder = new TemporaryFolder();
        long elements = 1_100_000_000;
        byte[] header = Safetensors.Header(
            [
                new("exp_avg.big", "F32", [elements], 4 * elements),
                new("cls_token", "F32", [1, 1, 32], 128),
                new("patch_embed.proj.weight", "F32", [32, 3, 7, 7], 32 * 147 * 4),
            ],
            new Dictionary<string, string>()
        );
        using (var f = File.Create(folder["big.safetensors"]))
        {
            f.Write(header);
            f.SetLength(header.Length + 4 * elements + 128 + 32 * 147 * 4);
        }
        var r = Lut.Run("convert", folder["big.safetensors"], folder["small.safetensors"]);
        Assert.True(r.Exit == 0 && r.Out.Contains("2 tensors, 4,736 values"), r.Out + r.Error);
        Assert.InRange(new FileInfo(folder["small.safetensors"]).Length, 4736 * 4, 4736 * 4 + 1000);
        r = Lut.Run("convert", folder["big.safetensors"]);
        Assert.True(r.Exit == 0 && r.Out.Contains("cls_token"), r.Out + r.Error);
        r = Lut.Run("eval", "hello@1", "-o", folder["runs"], "--checkpoint", folder["big.safetensors"]);
        Assert.True(r.Exit == 6 && r.Error.Contains("lacks"), r.Error);
    }

    [Theory]
    [InlineData("1e308")]
    [InlineData("-1")]
    [InlineData("NaN")]
    public void AnAbsurdIntervalIsAUsageError(string minutes) =>
        Assert.Equal(2, Lut.Run("plan", "hello@1", "--checkpoint-minutes", minutes).Exit);

    /// <summary>What `plan` says of a checkpoint is what a run writes.</summary>
    [Fact]
    public void ThePlanKnowsACheckpointsSize()
    {
        using var folder = new TemporaryFolder();
        using var json = System.Text.Json.JsonDocument.Parse(Lut.Run("plan", "hello@1", "--json").Out);
        Assert.Equal(75, Lut.Run("run", "hello@1", "-q", "--stop-after", "1", "-o", folder.Path).Exit);
        long written = new FileInfo(
            Directory.GetFiles(Path.Combine(folder.Run, "checkpoints"), "*.safetensors").Single()
        ).Length;
        long planned = json.RootElement.GetProperty("checkpoint_bytes_pretrain").GetInt64();
        Assert.InRange(written, planned, planned + 100_000); // the header's names and digests
    }
}
