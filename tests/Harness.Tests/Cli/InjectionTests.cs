namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// Planting faults, and what a report tells of their consequences; that each is found is in <see cref="TraceTests"/>.
/// </summary>
public sealed class InjectionTests(HelloRuns hello) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A whole run after a fault: how the loss drifts, and which answers turned.</summary>
    [Fact]
    public void TheReportTellsHowADifferenceGrowsAndWhatItTurned()
    {
        string a = hello.Of("run");
        string b = hello.Of("run", "--inject", "step=2,tensor=blocks.0.attn.qkv.weight,element=5,bit=27");
        var r = Lut.Run("compare", a, b, "--json");
        using var json = System.Text.Json.JsonDocument.Parse(r.Out);
        var growth = json.RootElement.GetProperty("growth").EnumerateArray().ToArray();
        // the step after the planted one is the first to see it
        Assert.Equal(3, growth[0].GetProperty("step").GetInt64());
        Assert.True(growth.Length >= 4 && growth.Count(g => g.GetProperty("ulp").GetInt64() > 0) >= 4);
        var flips = json.RootElement.GetProperty("flips").EnumerateArray().ToArray();
        Assert.NotEmpty(flips);
        Assert.All(flips, f => Assert.InRange(f.GetProperty("p_value").GetDouble(), 1e-9, 1.0));
        Assert.Contains("McNemar", Lut.Run("compare", a, b).Out);
    }

    [Theory]
    [InlineData("step=1,tensor=blocks.0.mlp.fc1.weigth,bit=1", "did you mean blocks.0.mlp.fc1.weight?")]
    [InlineData("step=1,tensor=cls_token,bit=32", "0 to 31")]
    [InlineData("step=1,tensor=cls_token,element=32,bit=1", "32 elements")]
    [InlineData("step=1,bit=3", "tensor is missing")]
    [InlineData("step=1,tensor=cls_token,bit=3,state=teachers", "did you mean teacher?")]
    [InlineData("steps=1", "a known key")]
    public void AFaultThatCannotBePlantedIsAnswered(string fault, string says)
    {
        var r = Lut.Run("pretrain", "hello@1", "-q", "-o", folder.Path, "--inject", fault);
        Assert.Equal(2, r.Exit);
        Assert.Contains(says, r.Error);
    }

    /// <summary>
    /// --self-check passes here, on the CPU and on the emulated GPU in both levels, and exit 7 says when a machine does
    /// not repeat its bits.
    /// </summary>
    [Theory]
    [InlineData(0, "cpu", "exact")]
    [InlineData(0, "cuda:emulated", "exact")]
    [InlineData(0, "cuda:emulated", "run-to-run")]
    [InlineData(7, "cpu", "exact", "--inject", "step=1,state=teacher,tensor=blocks.1.norm1.bias,bit=3")]
    public void TheSelfCheckFindsAMachineThatDoesNotRepeatItsBits(
        int exit,
        string device,
        string math,
        params string[] more
    )
    {
        var r = Lut.Run([
            "pretrain",
            "hello@1",
            "-o",
            folder.Path,
            "--self-check",
            "--device",
            device,
            "--math",
            math,
            "--stop-after",
            "1",
            .. more,
        ]);
        Assert.True(r.Exit == (exit == 0 ? 75 : exit), r.Out + r.Error);
        Assert.Contains(exit == 0 ? "self-check passed: 2 steps" : "teacher/blocks.1.norm1.bias", r.Error);
    }
}
