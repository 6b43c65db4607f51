using LutNative.Model.Checkpoints;

namespace LutNative.Model.Tests;

/// <summary>Files that would fill memory or hold no weights at all: refused by name, without being unpacked.</summary>
public sealed class RefusedWeightTests : WeightFiles
{
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
        long before = GC.GetAllocatedBytesForCurrentThread();
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
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500L << 20);
    }

    private string Compressed()
    {
        string path = Path.Combine(Folder, "deflated.pth");
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
        string path = Path.Combine(Folder, "x." + extension);
        File.Copy(Path.Combine(Trials, "18-messages", "lfs_pointer.pth"), path);
        Assert.Contains("a Git LFS pointer, the content was not downloaded", Refused(path));
    }
}
