using LutNative.Model.Checkpoints;

namespace LutNative.Model.Tests;

/// <summary>What is read of other people's files, by which name and type.</summary>
public sealed class WeightSetTests : WeightFiles
{
    private string SafetensorsFile(string type, byte[] bytes, long count)
    {
        string path = Path.Combine(Folder, type + ".safetensors");
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
            string written = Path.Combine(Folder, "written.safetensors");
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
}
