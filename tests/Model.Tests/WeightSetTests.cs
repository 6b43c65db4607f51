using System.Runtime.InteropServices;
using LutNative.Model.Checkpoints;

namespace LutNative.Model.Tests;

/// <summary>
/// What is read of other people's files, by which name and type, and which files are refused without being unpacked.
/// </summary>
public sealed class WeightSetTests : IDisposable
{
    private const string Anchor = "patch_embed.proj.weight";
    private static readonly string Trials = Path.Combine(Repository.Root, "tests", "fixtures", "trials");
    private readonly string folder = Directory.CreateTempSubdirectory("lut-ws-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static TorchArchive.Tensor Floats(params float[] values) =>
        new("FloatStorage", [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    private string Save(object root, string name = "x.pth")
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, TorchArchive.Of(root));
        return path;
    }

    private static string Refused(string path, string which = "") =>
        Assert.Throws<CheckpointException>(() => WeightSet.Open(path, which).Dispose()).Message;

    private string SafetensorsFile(string type, byte[] bytes, long count)
    {
        string path = Path.Combine(folder, type + ".safetensors");
        using var to = File.Create(path);
        Safetensors.Write(to, [new SafeTensor(Anchor, type, [count], bytes)], new Dictionary<string, string>());
        return path;
    }

    public static TheoryData<string, string, byte[], float[]> Types =>
        new()
        {
            { "F32", "FloatStorage", [0, 0, 0x80, 0xbf], [-1f] },
            { "F64", "DoubleStorage", [.. BitConverter.GetBytes(0.1)], [0.1f] },
            { "F16", "HalfStorage", [1, 0, 0, 0x3c], [5.9604645e-8f, 1f] }, // the least subnormal
            { "BF16", "BFloat16Storage", [0x80, 0xbf, 1, 0], [-1f, 9.1835e-41f] },
            {
                "F8_E4M3",
                "float8_e4m3fn",
                [0x00, 0x01, 0x08, 0x38, 0x7e, 0xfe],
                [0f, 0.001953125f, 0.015625f, 1f, 448f, -448f]
            },
            {
                "F8_E5M2",
                "float8_e5m2",
                [0x00, 0x01, 0x04, 0x3c, 0x7b, 0xfb],
                [0f, 1.52587890625e-5f, 6.103515625e-5f, 1f, 57344f, -57344f]
            },
        };

    [Theory]
    [MemberData(nameof(Types))]
    public void ATypeHasItsValueInEitherContainer(string type, string storage, byte[] bytes, float[] values)
    {
        foreach (
            string path in new[]
            {
                SafetensorsFile(type, bytes, values.Length),
                Save(
                    new Dictionary<string, object>
                    {
                        [Anchor] = new TorchArchive.Tensor(storage, [values.Length], bytes),
                    }
                ),
            }
        )
        {
            using var set = WeightSet.Open(path);
            Assert.Equal(type, set.Tensors[Anchor].Type);
            Assert.Equal(values, set.Tensors[Anchor].Floats());
            // what is written can be used
            string written = Path.Combine(folder, "written.safetensors");
            using (var to = File.Create(written))
                WeightWriter.Write(to, set, new Dictionary<string, string>());
            Assert.Equal(values, Safetensors.Read(written).Tensors[Anchor].Floats.ToArray());
        }
    }

    [Theory]
    [InlineData("model.", "model")]
    [InlineData("_orig_mod.", "_orig_mod")]
    [InlineData("module._orig_mod.", "module._orig_mod")]
    [InlineData("a.very.own.wrapper.", "a.very.own.wrapper")]
    public void WhateverStandsBeforeTheNamesIsTakenOff(string prefix, string said)
    {
        using var set = WeightSet.Open(
            Save(
                new Dictionary<string, object>
                {
                    [prefix + Anchor] = Floats(1),
                    [prefix + "norm.bias"] = Floats(2),
                    ["epoch"] = 3L,
                    ["best"] = Floats(4),
                }
            )
        );
        Assert.Equal(["norm.bias", Anchor], set.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Contains(said, set.Choice);
    }

    [Fact]
    public void OfSeveralSetsOneIsChosenOrAskedFor()
    {
        Dictionary<string, object> Set(float value) => new() { [Anchor] = Floats(value) };
        float Of(string path, string which = "")
        {
            using var set = WeightSet.Open(path, which);
            Assert.Contains(set.Prefix.TrimEnd('.'), set.Choice);
            return set.Tensors[Anchor].Floats()[0];
        }
        string timm = Save(
            new Dictionary<string, object> { ["state_dict"] = Set(1), ["state_dict_ema"] = Set(2) },
            "timm.pth"
        );
        string two = Save(
            new Dictionary<string, object> { ["encoder"] = Set(1), ["target_encoder"] = Set(2) },
            "two.pth"
        );
        string nested = Save(
            new Dictionary<string, object>
            {
                ["state_dict"] = new Dictionary<string, object>
                {
                    ["student.backbone." + Anchor] = Floats(1),
                    ["teacher.backbone." + Anchor] = Floats(2),
                },
            },
            "nested.pth"
        );
        Assert.Equal(1, Of(timm));
        Assert.Equal(2, Of(timm, "state_dict_ema"));
        Assert.Equal(2, Of(timm, "model_ema"));
        Assert.Contains("it holds state_dict, state_dict_ema", Refused(timm, "teacher"));
        Assert.Contains("encoder, target_encoder; choose one", Refused(two));
        Assert.Equal(1, Of(two, "encoder"));
        Assert.Equal(2, Of(nested, "teacher"));
        Assert.Contains("give a whole one", Refused(nested, "backbone"));
    }

    /// <summary>Every opcode and object that a state dictionary has been seen to lie beside.</summary>
    [Theory]
    [InlineData("ccollections\nCounter\n}X\u0001\0\0\0aK\u0001s\u0085R", "collections.Counter")]
    [InlineData(
        "ccollections\ndefaultdict\nc__builtin__\nlist\n\u0085RX\u0001\0\0\0aK\u0001s",
        "collections.defaultdict"
    )]
    [InlineData("cdatetime\ndatetime\nC\u0002ab\u0085R", "datetime.datetime")]
    [InlineData("cargparse\nNamespace\n)\u0081}X\u0001\0\0\0aK\u0001sb", "argparse.Namespace")]
    [InlineData("cos\nsystem\nX\u0004\0\0\0exit\u0085R", "os.system")]
    [InlineData("c__builtin__\ngetattr\ncos\nX\n\u0085R)R", "__builtin__.getattr")]
    [InlineData("(cmodule\nOld\nK\u0001o", "module.Old")]
    [InlineData("(K\u0001imodule\nOld\n", "module.Old")]
    [InlineData("cmodule\nNew\n)}\u0092", "module.New")]
    public void AnObjectBesideTheWeightsIsALabel(string pickle, string named)
    {
        using var set = WeightSet.Open(
            Save(
                new Dictionary<string, object>
                {
                    ["model"] = new Dictionary<string, object> { [Anchor] = Floats(7) },
                    ["beside"] = TorchArchive.Raw.Of(pickle),
                }
            )
        );
        Assert.Equal([7f], set.Tensors[Anchor].Floats());
        Assert.Contains(named, set.Beside);
    }

    /// <summary>
    /// What PyTorch and NumPy wrote (trials of 2026-11-25): only the storages are left out here, which nobody asks for.
    /// </summary>
    [Theory]
    [InlineData("numpy_scalar", "numpy.core.multiarray.scalar")]
    [InlineData("pathlib_313", "pathlib._local.PosixPath")]
    public void ARealPickleOfSuchObjectsIsRead(string name, string named)
    {
        Pickle.Read(
            File.ReadAllBytes(Path.Combine(Trials, "11-harmless-objects-in-pickles", name + ".data.pkl")),
            name,
            out var opaque
        );
        Assert.Contains(named, opaque);
    }

    [Fact]
    public void ATensorThatSomethingElseBuildsIsNamedByIt()
    {
        using var set = WeightSet.Open(
            Save(
                new Dictionary<string, object>
                {
                    [Anchor] = Floats(7),
                    ["norm.bias"] = TorchArchive.Raw.Of(
                        "ctorch._utils\n_rebuild_sparse_tensor\n(X\u0001\0\0\00X\u0001\0\0\01QtR"
                    ),
                }
            )
        );
        Assert.Equal("torch._utils._rebuild_sparse_tensor", set.Tensors["norm.bias"].Type);
        Assert.DoesNotContain(WeightWriter.Writable(set), t => t.Name == "norm.bias");
    }

    /// <summary>One element a thousand million times: no obstacle beside the weights, and never written out.</summary>
    [Fact]
    public void ATensorThatRepeatsIsNotUnpacked()
    {
        string path = Save(
            new Dictionary<string, object>
            {
                [Anchor] = Floats(7),
                ["wide"] = new TorchArchive.Tensor("FloatStorage", [1_000_000_000], new byte[4], [0]),
            }
        );
        using var set = WeightSet.Open(path);
        Assert.Equal([7f], set.Tensors[Anchor].Floats());
        float[] far = new float[2];
        set.Tensors["wide"].Read(999_999_998, far);
        using var to = new MemoryStream();
        Assert.Contains(
            "nothing was written",
            Assert
                .Throws<CheckpointException>(() => WeightWriter.Write(to, Endless(), new Dictionary<string, string>()))
                .Message
        );
        Assert.Contains(
            "nothing was written",
            Assert
                .Throws<CheckpointException>(() => WeightWriter.Write(to, set, new Dictionary<string, string>()))
                .Message
        );
        Assert.Equal(0, to.Length);
    }

    /// <summary>Sizes whose sum is beyond 64 bits.</summary>
    private WeightSet Endless()
    {
        var one = new TorchArchive.Tensor("float8_e5m2", [1L << 62], new byte[1], [0]);
        return WeightSet.Open(
            Save(new Dictionary<string, object> { [Anchor] = one, ["norm.bias"] = one }, "endless.pth")
        );
    }

    [Fact]
    public void BombsAreRefusedByName()
    {
        long before = GC.GetTotalAllocatedBytes();
        Assert.Contains(
            "a name of more than",
            Refused(Path.Combine(Trials, "90-broken-files", "pth-long-name-bomb.pth"))
        );
        using (var set = WeightSet.Open(Path.Combine(Trials, "90-broken-files", "pth-shared-tensor-bomb.pth")))
            Assert.Contains(
                "nothing was written",
                Assert
                    .Throws<CheckpointException>(() =>
                        WeightWriter.Write(Stream.Null, set, new Dictionary<string, string>())
                    )
                    .Message
            );
        // a million dictionaries of a byte each
        Assert.Contains("more than 2000000 objects", Refused(Save(TorchArchive.Raw.Of(new string('}', 3_000_000)))));
        // persistent ids of persistent ids, where a storage should be
        Assert.Contains(
            "is not a PyTorch checkpoint",
            Refused(
                Save(
                    TorchArchive.Raw.Of(
                        "}X\u0001\0\0\0actorch._utils\n_rebuild_tensor_v2\n(N" + new string('Q', 1_000_000) + "NNNtRs"
                    )
                )
            )
        );
        Assert.Contains("compressed", Compressed());
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 500L << 20);
    }

    private string Compressed()
    {
        string path = Path.Combine(folder, "deflated.pth");
        File.WriteAllBytes(
            path,
            TorchArchive.Of(
                new Dictionary<string, object> { [Anchor] = Floats(new float[10_000]) },
                System.IO.Compression.CompressionLevel.Optimal
            )
        );
        return Refused(path);
    }

    [Theory]
    [InlineData("pth")]
    [InlineData("safetensors")]
    public void APointerOfGitLfsIsCalledThat(string extension)
    {
        string path = Path.Combine(folder, "x." + extension);
        File.Copy(Path.Combine(Trials, "18-messages", "lfs_pointer.pth"), path);
        Assert.Contains("a Git LFS pointer, the content was not downloaded", Refused(path));
    }
}
