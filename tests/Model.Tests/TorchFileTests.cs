using System.IO.Compression;
using System.Text;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Tests;

/// <summary>
/// Files of torch.save (tests/fixtures/torch, made by PyTorch): same names, same logits; whatever could run code or
/// claims what is not there is refused.
/// </summary>
public unsafe class TorchFileTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "fixtures", "torch");

    private static string At(string name) => Path.Combine(Folder, name);

    [Fact]
    public void AClassifierOfPyTorchGivesPyTorchsLogits()
    {
        var expected = Safetensors.Read(At("expected.safetensors")).Tensors;
        using var arena = new Arena();
        var net = new Classifier(new VitShape(new PatchGrid(32, 8), 32, 2, 2), 10, globalPool: true, 0f);
        var state = new State(net.Layout, arena);
        using var set = WeightSet.Open(At("finetuned.pth"));
        var report = WeightLoader.Load(set, state, _ => true);
        Assert.Empty(report.Missing);
        Assert.Empty(report.Unused);
        var device = Cpu.Best();
        var weights = new Weights(state, device, arena, backward: false);
        using var pool = new Pool(1);
        weights.Pack(pool);
        var a = new Classifier.Activations(arena, net, 6, training: false);
        expected["images"].Floats.CopyTo(a.Trunk.Images.Span);
        net.Forward(new Pass(device, weights), a);
        var logits = expected["logits"].Floats;
        for (int i = 0; i < logits.Length; i++)
            Assert.Equal(logits[i], a.Logits.Span[i], 1e-4f);
    }

    [Fact]
    public void PrefixesHalvesAndSetsAreUnderstood()
    {
        using WeightSet plain = WeightSet.Open(At("finetuned.pth"));
        using WeightSet model = WeightSet.Open(At("wrapped.pth"));
        using WeightSet ema = WeightSet.Open(At("wrapped.pth"), "model_ema");
        Assert.Equal(("model.", "model.module."), (plain.Prefix, model.Prefix));
        Assert.Equal(plain.Tensors.Keys.Order(), model.Tensors.Keys.Order());
        Assert.Equal(plain.Tensors.Keys.Order(), ema.Tensors.Keys.Order());
        foreach (var (name, t) in plain.Tensors)
        {
            float[] values = t.Floats();
            float[] wrapped = model.Tensors[name].Floats();
            float[] averaged = ema.Tensors[name].Floats();
            for (int i = 0; i < values.Length; i++)
            {
                Assert.Equal(
                    name.StartsWith("head", StringComparison.Ordinal) ? (float)(Half)values[i] : values[i],
                    wrapped[i]
                );
                Assert.Equal(values[i] + 1f, averaged[i]);
            }
        }
        Assert.Contains(
            "it holds model.module, model_ema",
            Assert.Throws<CheckpointException>(() => WeightSet.Open(At("wrapped.pth"), "teacher")).Message
        );
    }

    /// <summary>A transposed view of a storage comes out in its own order.</summary>
    [Fact]
    public void StridesAreFollowed()
    {
        using var file = TorchFile.Open(At("strided.pt"));
        var t = file.Tensors["plain"];
        Assert.Equal([4L, 3L], t.Shape);
        Assert.Equal([0f, 4f, 8f, 1f, 5f, 9f, 2f, 6f, 10f, 3f, 7f, 11f], t.Floats());
        float[] tail = new float[5];
        t.Read(6, tail);
        Assert.Equal([2f, 6f, 10f, 3f, 7f], tail);
    }

    [Fact]
    public void PositionsAreInterpolatedAsPyTorchDoes()
    {
        using var set = WeightSet.Open(At("finetuned.pth"));
        float[] from = set.Tensors["pos_embed"].Floats();
        var expected = Safetensors.Read(At("expected.safetensors")).Tensors["positions7"].Floats;
        var actual = Positions.Interpolate(from, 32, 17, 50);
        for (int i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-6f);
        Assert.Throws<CheckpointException>(() => Positions.Interpolate(from, 32, 17, 51));
    }

    [Fact]
    public void WhatIsMissingOrUnexpectedIsListed()
    {
        using var arena = new Arena();
        var net = new Classifier(new VitShape(new PatchGrid(32, 8), 32, 3, 2), 10, globalPool: false, 0f);
        using var set = WeightSet.Open(At("finetuned.pth"));
        var report = WeightLoader.Load(set, new State(net.Layout, arena), _ => true);
        Assert.Contains("blocks.2.attn.qkv.weight", report.Missing);
        Assert.Contains("norm.weight", report.Missing);
        Assert.Contains("fc_norm.weight", report.Unused);
        var other = new Classifier(new VitShape(new PatchGrid(32, 8), 48, 2, 2), 10, globalPool: true, 0f);
        Assert.Contains(
            "it belongs to another model",
            Assert
                .Throws<CheckpointException>(() => WeightLoader.Load(set, new State(other.Layout, arena), _ => true))
                .Message
        );
        var shallow = new Classifier(new VitShape(new PatchGrid(32, 8), 32, 1, 2), 10, globalPool: true, 0f);
        Assert.Contains(
            "blocks.1.attn.proj.bias",
            Assert
                .Throws<CheckpointException>(() => WeightLoader.Load(set, new State(shallow.Layout, arena), _ => true))
                .Message
        );
    }

    private static byte[] Zip(
        byte[] pickle,
        CompressionLevel level = CompressionLevel.NoCompression,
        byte[]? storage = null
    )
    {
        using var to = new MemoryStream();
        using (var zip = new ZipArchive(to, ZipArchiveMode.Create, leaveOpen: true))
            foreach (
                var (name, bytes) in new[] { ("archive/data.pkl", pickle), ("archive/data/0", storage ?? new byte[16]) }
            )
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        return to.ToArray();
    }

    private static string Refused(byte[] file)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, file);
            return Assert.Throws<CheckpointException>(() => WeightSet.Open(path)).Message;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Tensor(string size, string stride, int offset = 0)
    {
        // protocol 2: _rebuild_tensor_v2(('storage', FloatStorage, '0', 'cpu', 4), offset, size, stride, False, None),
        // written with longs of eight bytes where asked
        var p = new List<byte> { 0x80, 2 };
        void Text(string s) =>
            p.AddRange([(byte)'X', .. BitConverter.GetBytes(s.Length), .. Encoding.ASCII.GetBytes(s)]);
        void Numbers(string list)
        {
            p.Add((byte)'(');
            foreach (string n in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
                p.AddRange([
                    0x8a,
                    8,
                    .. BitConverter.GetBytes(long.Parse(n, System.Globalization.CultureInfo.InvariantCulture)),
                ]);
            p.Add((byte)'t');
        }
        p.Add((byte)'}');
        Text("w");
        p.AddRange("ctorch._utils\n_rebuild_tensor_v2\n("u8.ToArray());
        p.Add((byte)'(');
        Text("storage");
        p.AddRange("ctorch\nFloatStorage\n"u8.ToArray());
        Text("0");
        Text("cpu");
        p.AddRange([(byte)'K', 4, (byte)'t', (byte)'Q', (byte)'J', .. BitConverter.GetBytes(offset)]);
        Numbers(size);
        Numbers(stride);
        p.AddRange([0x89, (byte)'N', (byte)'t', (byte)'R', (byte)'s', (byte)'.']);
        return [.. p];
    }

    [Fact]
    public void APlainTensorIsRead()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, Zip(Tensor("2,2", "2,1")));
        using (var file = TorchFile.Open(path))
            Assert.Equal([2L, 2L], file.Tensors["w"].Shape);
        File.Delete(path);
    }

    [Theory]
    [InlineData("2,3", "3,1", 0)] // more than the storage has
    [InlineData("2,2", "2,1", 1)] // begins too late
    [InlineData("2,2", "2,1", -1)]
    [InlineData("4000000000,4000000000", "1,1", 0)]
    [InlineData("9223372036854775807,9223372036854775807", "1,1", 0)]
    [InlineData("-4", "1", 0)]
    [InlineData("2", "9223372036854775807", 0)]
    [InlineData("4", "1,1", 0)]
    public void ATensorThatClaimsMoreThanTheFileHasIsRefused(string size, string stride, int offset) =>
        Assert.Contains("is not a PyTorch checkpoint", Refused(Zip(Tensor(size, stride, offset))));

    [Theory]
    [InlineData("cos\nsystem\n(X\u0004\0\0\0exittR.", "os.system")]
    [InlineData("cposix\nsystem\n(X\u0004\0\0\0exittR.", "posix.system")]
    [InlineData("cbuiltins\neval\n(X\u0001\0\0\01tR.", "builtins.eval")]
    [InlineData("cnumpy.core.multiarray\n_reconstruct\n)R.", "numpy.core.multiarray._reconstruct")]
    [InlineData("ctorch\nload\n)R.", "torch.load")]
    [InlineData("(X\u0004\0\0\0exitios\nsystem\n.", "os.system")]
    [InlineData("(cos\nsystem\nX\u0004\0\0\0exito.", "os.system")]
    [InlineData("X\u0002\0\0\0osX\u0006\0\0\0system\u0093)R.", "os.system")]
    public void APickleOfAnythingElseIsNamedAndNothingOfItIsMade(string pickle, string names)
    {
        string message = Refused(Zip([0x80, 2, .. Encoding.Latin1.GetBytes(pickle)]));
        Assert.Contains(names, message);
        Assert.Contains("nothing of it was run", message);
    }

    [Fact]
    public void BombsOfRecursionAndSizeEndQuickly()
    {
        // a list of lists of lists, a million deep: the machine is a stack, the walk has a depth
        byte[] deep =
        [
            0x80,
            2,
            .. Enumerable.Repeat((byte)']', 1_000_000),
            .. Enumerable.Repeat((byte)'a', 999_999),
            (byte)'.',
        ];
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, Zip(deep));
        using (var file = TorchFile.Open(path))
            Assert.Empty(file.Tensors);
        // a list that holds itself ends at that depth, or when it has been walked too often
        Assert.Contains(
            "without end",
            Refused(Zip([0x80, 2, (byte)']', (byte)'q', 0, (byte)'h', 0, (byte)'a', (byte)'.']))
        );
        File.Delete(path);
        // ten lists, each the one before ten times: 10^10 places to walk
        var wide = new List<byte> { 0x80, 2, (byte)']', (byte)'q', 0 };
        for (byte i = 1; i <= 12; i++)
            wide.AddRange([
                (byte)'0',
                (byte)']',
                .. Enumerable.Repeat(new byte[] { (byte)'h', (byte)(i - 1), (byte)'a' }, 10).SelectMany(b => b),
                (byte)'q',
                i,
            ]);
        Assert.Contains("without end", Refused(Zip([.. wide, (byte)'.'])));
        Assert.Contains(
            "compressed",
            Refused(Zip([0x80, 2, .. new byte[100_000], (byte)'.'], CompressionLevel.SmallestSize))
        );
        Assert.Contains("claims", Refused(Zip([0x80, 2, (byte)'X', 0xff, 0xff, 0xff, 0xff, (byte)'.'])));
        Assert.Contains("before PyTorch 1.6", Refused([0x80, 2, 0x8a, 10, 0x6c, 0xfc]));
        Assert.Contains("zip", Refused([1, 2, 3, 4, 5]));
    }
}
