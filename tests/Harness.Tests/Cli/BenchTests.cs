using System.Text.Json;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// `lut bench`: what it reports, that a step allocates nothing, and that measuring does not change bits. No test looks
/// at times.
/// </summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData("pretrain", "lut", 0, false)]
    [InlineData("pretrain", "lut", 2, false)]
    [InlineData("pretrain", "mae", 0, false)]
    [InlineData("finetune", "", 0, false)]
    [InlineData("finetune", "", 1, true)]
    public void ASteadyStepAllocatesNothing(string stage, string method, int dataWorkers, bool premade)
    {
        string[] args =
        [
            "bench",
            "hello@1",
            "--launches",
            "0",
            "--blocks",
            "2",
            "--seconds",
            "0.5",
            "--threads",
            "2",
            "--stage",
            stage,
            "--data-workers",
            $"{dataWorkers}",
            .. method == "" ? (string[])[] : ["--method", method],
            .. premade ? (string[])["--premade"] : [],
        ];
        var r = Lut.Started(args);
        Assert.True(r.Exit == 0, r.Error);
        using var json = JsonDocument.Parse(r.Out);
        Assert.Equal(0.0, json.RootElement.GetProperty("BytesPerStep").GetDouble());
    }

    [Fact]
    public void ReportsEveryQuantityAsJsonAndAsATable()
    {
        string[] args = ["bench", "hello@1", "--launches", "2", "--blocks", "2", "--seconds", "0.1"];
        var r = Lut.Started([.. args, "--json"]);
        Assert.True(r.Exit == 0, r.Error);
        using var json = JsonDocument.Parse(r.Out);
        Assert.Equal(4, json.RootElement.GetProperty("blocks").GetArrayLength());
        double low = json.RootElement.GetProperty("low").GetDouble();
        double middle = json.RootElement.GetProperty("images_per_second").GetDouble();
        double high = json.RootElement.GetProperty("high").GetDouble();
        Assert.True(0 < low && low <= middle && middle <= high);
        Assert.True(json.RootElement.GetProperty("fma_peak").GetDouble() > 1e9);
        foreach (string phase in new[] { "data", "forward", "heads", "backward", "reduce", "optimizer", "waiting" })
            json.RootElement.GetProperty("phases").GetProperty(phase).GetDouble();
        Assert.Contains("images/s", Lut.Started(args).Out);
    }

    [Fact]
    public void BlocksAreRecordedAsParquet()
    {
        using var folder = new TemporaryFolder();
        for (int i = 0; i < 2; i++)
            Assert.Equal(
                0,
                Lut.Started(
                    "bench",
                    "hello@1",
                    "--launches",
                    "1",
                    "--blocks",
                    "2",
                    "--seconds",
                    "0.1",
                    "-o",
                    folder.Path
                ).Exit
            );
        var rows = new LutNative.Results.RunStore(folder.Path).Read(LutNative.Results.Schema.Throughput);
        Assert.Equal(4, rows.Rows.Count);
        Assert.Equal(2, rows.Rows.Select(r => r.RunId).Distinct().Count());
        Assert.True(rows.Rows[3].ImagesPerSecond > 0);
        Assert.Equal("exact-1", rows.Rows[0].Contract);
        // the same blocks beside themselves are the same speed, at rates that this machine's noise has no part in;
        // another network is other work
        var even = rows.Rows.Select((r, i) => r with { ImagesPerSecond = 100.0 + i % 2, OtherLoad = null });
        using var steady = new TemporaryFolder();
        LutNative
            .Results.RunStore.Create(steady.Path)
            .Commit(
                [new LutNative.Results.Table<LutNative.Results.ThroughputRow>(even)],
                new Dictionary<string, string>()
            );
        var r = Lut.Run("compare", "--perf", steady.Path, steady.Path);
        Assert.True(r.Exit == 0 && r.LastLine.Contains("perf=SAME"), r.Out + r.Error);
        using var other = new TemporaryFolder();
        Assert.Equal(
            0,
            Lut.Started(
                "bench",
                "hello@1",
                "--method",
                "mae",
                "--launches",
                "1",
                "--blocks",
                "1",
                "--seconds",
                "0.1",
                "-o",
                other.Path
            ).Exit
        );
        r = Lut.Run("compare", "--perf", folder.Path, other.Path, "-o", other["found"]);
        Assert.True(r.Exit == 4 && r.Out.Contains("mae 64: only in B"), r.Out + r.Error);
        var found = new LutNative.Results.RunStore(other["found"]).Read(LutNative.Results.Schema.Comparisons);
        Assert.Equal(["INCOMPARABLE", "INCOMPARABLE"], found.Rows.Select(f => f.Verdict));
    }

    [Theory]
    [InlineData("hallo@1", 2)]
    [InlineData("tinny", 2)]
    public void AnUnknownShapeIsNamedWithItsNearest(string shape, int exit)
    {
        var r = Lut.Run("bench", shape);
        Assert.Equal(exit, r.Exit);
        Assert.Contains("did you mean", r.Error);
    }

    [Theory]
    [InlineData("bench", "vitb16", "--kernels", "--device", "planned:h200")]
    [InlineData("plan", "hello@1", "--device", "h200")]
    [InlineData("run", "hello@1", "--device", "cuda:emulated")]
    public void AnUnknownLevelOfMathIsNamedWithItsNearest(params string[] args)
    {
        var r = Lut.Run([.. args, "--math", "run-to-rum"]);
        Assert.Equal(2, r.Exit);
        Assert.Contains("did you mean run-to-run?", r.Error);
    }
}
