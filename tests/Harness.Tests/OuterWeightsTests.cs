using System.Runtime.InteropServices;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Tests.Cli;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>
/// hello@1's encoder after its own pre-training, as tensors: every form in which it can be given back.
/// </summary>
public sealed class PretrainedHello : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private int runs;

    public PretrainedHello()
    {
        Checkpoint = Directory
            .GetFiles(Path.Combine(Run(["pretrain"]).Folder, "checkpoints"), "pretrain-*.safetensors")
            .Single();
        (All, _) = Safetensors.Read(Checkpoint);
        Encoder = All.Where(t => EncoderNames.Is(t.Key)).ToDictionary();
    }

    internal string Checkpoint { get; }
    internal Dictionary<string, SafeTensor> All { get; }
    internal Dictionary<string, SafeTensor> Encoder { get; }

    internal string this[string name] => folder[name];

    internal RunStore Run(string[] stages, string? checkpoint = null, string which = "", string protocol = "hello@1") =>
        Runner.Run(
            new RunRequest(
                ProtocolReader.Load(protocol, [], null),
                new ExecOptions(2, 0, 0, TimeSpan.FromMinutes(1)),
                Cpu.Best(),
                folder[FormattableString.Invariant($"runs{runs++}")],
                null,
                null,
                [.. stages.Select(s => StageId.Find(s)!)],
                checkpoint,
                true,
                ["test"]
            )
            {
                Which = which,
            },
            default
        );

    public void Dispose() => folder.Dispose();
}

/// <summary>
/// Weights from outside: the same weights give the same accuracies in whatever form they come, and others are refused
/// before anything is computed.
/// </summary>
public sealed class OuterWeightsTests(PretrainedHello hello) : IClassFixture<PretrainedHello>
{
    private const int NeighboursRight = 131;
    private const int ProbeRight = 100;

    private static TorchArchive.Tensor Torch(SafeTensor t) => new("FloatStorage", t.Shape, t.Bytes.ToArray());

    private static Dictionary<string, object> Torch(
        IEnumerable<KeyValuePair<string, SafeTensor>> tensors,
        string prefix = ""
    ) => tensors.ToDictionary(t => prefix + t.Key, t => (object)Torch(t.Value));

    private Dictionary<string, object> Zeros(string prefix = "") =>
        hello.Encoder.ToDictionary(
            t => prefix + t.Key,
            t => (object)new TorchArchive.Tensor("FloatStorage", t.Value.Shape, new byte[t.Value.Bytes.Length])
        );

    private string Save(string name, object root)
    {
        File.WriteAllBytes(hello[name], TorchArchive.Of(root));
        return hello[name];
    }

    private string Save(string name, IEnumerable<SafeTensor> tensors)
    {
        using var to = File.Create(hello[name]);
        Safetensors.Write(to, [.. tensors], new Dictionary<string, string> { ["format"] = "pt" });
        return hello[name];
    }

    /// <summary>Evaluates; returns what was recorded of the weights.</summary>
    private string Right(string path, string which = "")
    {
        var run = hello.Run(["knn", "probe"], path, which);
        var evals = run.Read(Schema.Evals);
        var found = evals.Rows.ToDictionary(r => r.Metric, r => r.Correct);
        Assert.Equal((NeighboursRight, ProbeRight), (found["knn_top1"], found["probe_top1"]));
        return Notes(run);
    }

    private string Refused(string path, string[]? stages = null, string which = "")
    {
        var e = Assert.Throws<LutError>(() => hello.Run(stages ?? ["knn", "probe"], path, which));
        Assert.Equal(Exit.Data, e.Exit);
        return e.Message;
    }

    private SafeTensor Changed(string name, long[] shape, byte[] bytes) =>
        hello.Encoder[name] with
        {
            Shape = shape,
            Bytes = bytes,
        };

    [Fact]
    public void OursAndPlainOnesAreRead()
    {
        Assert.Contains("took (no prefix)", Right(hello.Checkpoint));
        Right(Save("plain.pth", new Dictionary<string, object> { ["model"] = Torch(hello.Encoder) }));
        Right(
            Save(
                "flat.pth",
                Torch(
                    hello
                        .Encoder.Values.Select(t =>
                            t.Name == "patch_embed.proj.weight" ? t with { Shape = [32, 147] } : t
                        )
                        .ToDictionary(t => t.Name)
                )
            )
        );
    }

    [Theory]
    [InlineData("_orig_mod.")]
    [InlineData("module._orig_mod.")]
    [InlineData("backbone.")]
    public void WrappedNamesAreUnwrapped(string prefix) =>
        Assert.Contains(
            prefix.TrimEnd('.'),
            Right(Save("wrapped.pth", new Dictionary<string, object> { ["model"] = Torch(hello.Encoder, prefix) }))
        );

    [Fact]
    public void TheAskedForSetIsTaken()
    {
        string timm = Save(
            "timm.pth.tar",
            new Dictionary<string, object>
            {
                ["epoch"] = 1L,
                ["state_dict"] = Zeros(),
                ["state_dict_ema"] = Torch(hello.Encoder),
            }
        );
        Right(timm, "state_dict_ema");
        Right(timm, "model_ema");
        Assert.Contains("it holds state_dict, state_dict_ema", Refused(timm, which: "student"));
        Right(
            Save(
                "dino.pth",
                new Dictionary<string, object>
                {
                    ["teacher"] = Torch(hello.Encoder, "backbone."),
                    ["student"] = Zeros("module.backbone."),
                }
            ),
            "teacher"
        );
    }

    [Fact]
    public void ObjectsBesideTheWeightsAreNamed()
    {
        var path = TorchArchive.Raw.Of(
            "cargparse\nNamespace\n)\u0081}X\u0001\0\0\0ocpathlib._local\nPosixPath\nX\u0002\0\0\0/x\u0085Rsb"
        );
        Assert.Contains(
            "pathlib._local.PosixPath",
            Right(
                Save("path.pth", new Dictionary<string, object> { ["model"] = Torch(hello.Encoder), ["args"] = path })
            )
        );
        var scalar = TorchArchive.Raw.Of(
            "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\u0002\0\0\0f8\u0089\u0088\u0087RC\u0008\0\0\0\0\0\0\0\0\u0086R"
        );
        Assert.Contains(
            "numpy.core.multiarray.scalar",
            Right(
                Save(
                    "scalar.pth",
                    new Dictionary<string, object> { ["model"] = Torch(hello.Encoder), ["best_acc"] = scalar }
                )
            )
        );
    }

    [Fact]
    public void NarrowTypesAndTypesThatNobodyNeedsAreRead()
    {
        Right(
            Path.Combine(
                Repository.Root,
                "tests",
                "fixtures",
                "trials",
                "10-half-precision-safetensors",
                "bf16.safetensors"
            )
        );
        Right(
            Save(
                "u64.safetensors",
                [
                    .. hello.Encoder.Values,
                    new SafeTensor("num", "U64", [1], new byte[8]),
                    new SafeTensor("packed", "Q4", [3], new byte[8]),
                ]
            )
        );
        var doubles = hello.Encoder.Values.Select(t =>
            t with
            {
                DType = "F64",
                Bytes = MemoryMarshal.AsBytes(t.Floats.ToArray().Select(x => (double)x).ToArray().AsSpan()).ToArray(),
            }
        );
        Right(Save("doubles.safetensors", doubles));
    }

    [Fact]
    public void TheTableOfPositionsMayBeMissingAndIsNamed()
    {
        Assert.Contains(
            "pos_embed is not in the file; the fixed table of MAE is used",
            Right(Save("no_pos.safetensors", hello.Encoder.Values.Where(t => t.Name != "pos_embed")))
        );
        var table = hello.Encoder["pos_embed"];
        var without = Changed("pos_embed", [1, 16, 32], table.Bytes[(32 * sizeof(float))..].ToArray());
        Assert.Contains(
            "pos_embed is [1, 16, 32]: no class token; the network needs [1, 17, 32]",
            Refused(Save("no_class.safetensors", hello.Encoder.Values.Select(t => t.Name == "pos_embed" ? without : t)))
        );
    }

    [Theory]
    [InlineData("blocks.2.attn.qkv.weight")]
    [InlineData("blocks.0.ls1.gamma")]
    [InlineData("norm_pre.weight")]
    [InlineData("patch_embed.norm.weight")]
    [InlineData("dist_token")]
    [InlineData("register_tokens")]
    public void AnEncoderOfMorePartsIsAnotherModel(string more) =>
        Assert.Contains(
            more,
            Refused(
                Save("more.safetensors", [.. hello.Encoder.Values, new SafeTensor(more, "F32", [32], new byte[128])])
            )
        );

    [Theory]
    [InlineData("decoder_blocks.7.norm1.weight")]
    [InlineData("mask_token")]
    [InlineData("head.weight")]
    [InlineData("fc.bias")]
    [InlineData("projector.0.weight")]
    [InlineData("optimizer.state.0.exp_avg")]
    public void WhatIsNoEncodersMayStayUnused(string more) =>
        Right(Save("more.safetensors", [.. hello.Encoder.Values, new SafeTensor(more, "F32", [3], new byte[12])]));

    [Fact]
    public void ShapesAreComparedAndValuesAreFinite()
    {
        var patch = hello.Encoder["patch_embed.proj.weight"];
        string message = Refused(
            Save(
                "last.safetensors",
                hello.Encoder.Values.Select(t =>
                    t.Name == patch.Name ? Changed(patch.Name, [32, 7, 7, 3], patch.Bytes.ToArray()) : t
                )
            )
        );
        Assert.True(message.Contains("[32, 7, 7, 3]") && message.Contains("[32, 3, 7, 7]"), message);
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            float[] values = hello.Encoder["blocks.1.mlp.fc1.weight"].Floats.ToArray();
            values[77] = bad;
            var broken = Changed(
                "blocks.1.mlp.fc1.weight",
                [128, 32],
                MemoryMarshal.AsBytes(values.AsSpan()).ToArray()
            );
            Assert.Contains(
                "element 77 of tensor blocks.1.mlp.fc1.weight",
                Refused(Save("nan.safetensors", hello.Encoder.Values.Select(t => t.Name == broken.Name ? broken : t)))
            );
        }
    }

    [Fact]
    public void HuggingFacesNamesAreRead()
    {
        foreach (string prefix in new[] { "vit.", "" })
        {
            Right(Save("hf.safetensors", hello.Encoder.Values.SelectMany(t => HuggingFace(t, prefix))));
            Assert.Contains(
                "layer_scale1",
                Refused(
                    Save(
                        "hf.safetensors",
                        hello
                            .Encoder.Values.SelectMany(t => HuggingFace(t, prefix))
                            .Append(
                                new SafeTensor(
                                    prefix + "encoder.layer.0.layer_scale1.lambda1",
                                    "F32",
                                    [32],
                                    new byte[128]
                                )
                            )
                    )
                )
            );
        }
    }

    /// <summary>Names of ViT and ViTMAE; queries, keys and values apart.</summary>
    private static IEnumerable<SafeTensor> HuggingFace(SafeTensor t, string prefix)
    {
        string name = t
            .Name.Replace("patch_embed.proj", "embeddings.patch_embeddings.projection", StringComparison.Ordinal)
            .Replace("blocks.", "encoder.layer.", StringComparison.Ordinal)
            .Replace("norm1", "layernorm_before", StringComparison.Ordinal)
            .Replace("norm2", "layernorm_after", StringComparison.Ordinal)
            .Replace("attn.proj", "attention.output.dense", StringComparison.Ordinal)
            .Replace("mlp.fc1", "intermediate.dense", StringComparison.Ordinal)
            .Replace("mlp.fc2", "output.dense", StringComparison.Ordinal);
        if (name is "cls_token")
            name = "embeddings.cls_token";
        if (name is "pos_embed")
            name = "embeddings.position_embeddings";
        if (name.StartsWith("norm.", StringComparison.Ordinal))
            name = "layer" + name;
        if (!name.Contains("attn.qkv", StringComparison.Ordinal))
            return [t with { Name = prefix + name }];
        int third = t.Bytes.Length / 3;
        string[] pieces = ["query", "key", "value"];
        return pieces.Select(
            (piece, i) =>
                t with
                {
                    Name = prefix + name.Replace("attn.qkv", "attention.attention." + piece, StringComparison.Ordinal),
                    Shape = [t.Shape[0] / 3, .. t.Shape[1..]],
                    Bytes = t.Bytes.Slice(i * third, third),
                }
        );
    }

    /// <summary>
    /// A classifier with global pooling has fc_norm and no final norm: it can be fine-tuned so, and gives no features.
    /// </summary>
    [Fact]
    public void AClassifierServesWhereItsNormIsNotUsed()
    {
        string path = Save(
            "classifier.safetensors",
            hello.Encoder.Values.Select(t =>
                t.Name.StartsWith("norm.", StringComparison.Ordinal) ? t with { Name = "fc_" + t.Name } : t
            )
        );
        Assert.Contains("it has fc_norm", Refused(path));
        Assert.Single(hello.Run(["finetune"], path).Read(Schema.Evals).Rows);
    }

    [Fact]
    public void PretrainingGoesOnFromPublishedWeights()
    {
        DigestBytes Last(RunStore run) => run.Read(Schema.Steps).Rows[^1].StateDigest!.Value;
        var trunk = hello.Run(["pretrain"], Save("trunk.safetensors", hello.Encoder.Values));
        Assert.Contains("begin from the seed", Notes(trunk));
        var whole = hello.Run(["pretrain"], hello.Checkpoint);
        Assert.DoesNotContain("begin from the seed", Notes(whole));
        Assert.NotEqual(Last(trunk), Last(whole));
        Assert.Equal(Last(whole), Last(hello.Run(["pretrain"], hello.Checkpoint)));
        Assert.Contains(
            "lacks",
            Refused(Save("no_norm.safetensors", hello.Encoder.Values.Where(t => t.Name != "norm.bias")), ["pretrain"])
        );
    }

    private static string Notes(RunStore run) =>
        string.Join('\n', run.Rows(Schema.Events).Where(e => e.Key == "weights").Select(e => e.Value));
}
