using System.Text.Json;

namespace LutNative.Harness.Tests.Cli;

/// <summary>`lut plan`: a cluster's arithmetic and memory, and where every value comes from.</summary>
public sealed class PlanTests
{
    [Fact]
    public void ViTBsMultiplyAddsAreTheMethodsOwnCount()
    {
        var r = Lut.Run("plan", "imagenet-lut-vitb16@1", "--device", "h200", "--count", "8", "--json");
        Assert.True(r.Exit == 0, r.Error);
        using var json = JsonDocument.Parse(r.Out);
        double Number(string key) => json.RootElement.GetProperty(key).GetDouble();
        // 77.8 G a step and image by the published code, which embeds all patches of both student views before it drops
        // three quarters of them: ours embeds the visible ones
        double dropped = 3 * 2 * 0.75 * 196 * 768.0 * 768;
        Assert.Equal(77.8e9, Number("macs_per_image") + dropped, 0.05e9);
        Assert.Equal(17.56e9, Number("teacher_view_macs"), 0.005e9);
        Assert.Equal(5.37e9, Number("decoder_macs"), 0.005e9);
        Assert.True(
            Number("pretrain_days") > 0
                && Number("energy_mwh") > 0
                && Number("memory_bytes") < 141e9
                && Number("samples_at_once") >= 128
        );
    }

    [Fact]
    public void AMeasuredSpeedTakesThePlaceOfTheSheets()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(
            0,
            Lut.Started(
                "bench",
                "hello@1",
                "--launches",
                "1",
                "--blocks",
                "1",
                "--seconds",
                "0.1",
                "-o",
                folder.Path
            ).Exit
        );
        var r = Lut.Run("plan", "hello@1", "--device", "a100", "--result", folder.Path);
        Assert.True(r.Exit == 0 && r.Out.Contains("measured"), r.Out + r.Error);
        Assert.Equal(8, Lut.Run("plan", "fashion-lut@1", "--device", "a100", "--result", folder.Path).Exit);
    }

    [Theory]
    [InlineData("pretrain.epochs", "1600", "imagenet-lut-vitl16@1.toml", "assumed")]
    [InlineData("pretrain.w_bc", "0.25", "imagenet-lut-vitb16@1.toml", "PRETRAIN.md:51")]
    public void EveryValueSaysWhereItIsFrom(string key, string value, string where, string source)
    {
        var r = Lut.Run("plan", "imagenet-lut-vitl16@1", "--explain", key);
        Assert.Equal(0, r.Exit);
        foreach (string s in new[] { value, where, source })
            Assert.Contains(s, r.Out);
        Assert.Contains(
            "changed on the command line",
            Lut.Run("plan", "imagenet-lut-vitl16@1", "--set", $"{key}=1", "--explain", key).Out
        );
        r = Lut.Run("plan", "imagenet-lut-vitl16@1", "--explain", key + "x");
        Assert.Equal(2, r.Exit);
        Assert.Contains($"did you mean {key}?", r.Error);
    }
}
