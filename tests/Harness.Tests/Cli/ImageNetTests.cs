namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// The published ViT-B protocol, scaled by --set, on a synthetic ImageNet of 1000 classes: every stage, from every
/// container, stopped and resumed, with the same bits.
/// </summary>
public sealed class ImageNetTests(SyntheticSet set) : IClassFixture<SyntheticSet>
{
    private static Lut.Result Run(string verb, string data, string output, params string[] more) =>
        Lut.Run([verb, "imagenet-lut-vitb16@1", "-q", "--data", data, "-o", output, .. SyntheticSet.Scaled, .. more]);

    [Fact]
    public void EveryStageFromEveryContainerInterruptedOrNot()
    {
        using var folder = new TemporaryFolder();
        var r = Run("run", set.Folder, folder["a"]);
        Assert.True(r.Exit == 0, r.Out + r.Error);
        foreach (
            string metric in new[]
            {
                "knn_top1",
                "probe_top1",
                "probe_top5",
                "linprobe_top1",
                "linprobe_top5",
                "finetune_top1",
                "finetune_top5",
            }
        )
            Assert.Contains(metric, r.Out);
        Assert.Contains("+modified", r.Out);
        string a = Directory.GetDirectories(folder["a"]).Single();
        foreach (
            var (data, more) in new[]
            {
                (set.Tar, new[] { "--threads", "1", "--micro-batch", "10" }),
                (set.Parquet, ["--data-workers", "2"]),
            }
        )
        {
            string name = Path.GetFileName(data);
            Assert.Equal(0, Run("run", data, folder[name], more).Exit);
            Assert.Contains(
                "IDENTICAL",
                Lut.Run("compare", a, Directory.GetDirectories(folder[name]).Single()).LastLine
            );
        }
        // 4 steps of pre-training, 4 of the linear probe, 5 of fine-tuning: once inside each
        Assert.Equal(75, Run("run", set.Folder, folder["b"], "--stop-after", "2").Exit);
        foreach (string after in new[] { "4", "5" })
            Assert.Equal(75, Run("run", set.Folder, folder["b"], "--resume", "auto", "--stop-after", after).Exit);
        Assert.Equal(0, Run("run", set.Folder, folder["b"], "--resume", "auto").Exit);
        Assert.Contains("IDENTICAL", Lut.Run("compare", a, Directory.GetDirectories(folder["b"]).Single()).LastLine);
    }

    [Fact]
    public void WithoutItsImagesTheProtocolSaysWhatItNeeds()
    {
        var r = Lut.Run("run", "imagenet-lut-vitb16@1", "-q");
        Assert.Equal(6, r.Exit);
        Assert.Contains("LUT6013", r.Error);
        Assert.Contains("--data", r.Error);
    }
}
