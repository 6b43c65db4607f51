using System.Text.Json;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// The plan of memory beside what a process really took. Only on Linux, where the peak is the resident one.
/// </summary>
public sealed class MemoryTests
{
    [Theory]
    [InlineData("tiny", "keep")]
    [InlineData("tiny", "recompute")]
    public void ThePlanIsWithinATenthOfThePeak(string shape, string memory)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems count memory otherwise");
        var r = Lut.Started(
            "bench",
            shape,
            "--batch",
            "32",
            "--memory",
            memory,
            "--threads",
            "2",
            "--launches",
            "1",
            "--blocks",
            "1",
            "--seconds",
            "0.1",
            "--premade",
            "--json"
        );
        Assert.True(r.Exit == 0, r.Error);
        using var json = JsonDocument.Parse(r.Out);
        double planned = json.RootElement.GetProperty("planned_bytes").GetDouble();
        double peak = json.RootElement.GetProperty("peak_bytes").GetDouble();
        Assert.InRange(planned / peak, 0.9, 1.1);
    }

    [Fact]
    public void RecomputingTakesLessMemoryInThePlan()
    {
        double Planned(string memory)
        {
            using var json = JsonDocument.Parse(
                Lut.Run(
                    "plan",
                    "fashion-lut@1",
                    "--set",
                    "pretrain.batch=1024",
                    "--set",
                    "pretrain.bn_batch=1024",
                    "--memory",
                    memory,
                    "--json"
                ).Out
            );
            return json.RootElement.GetProperty("memory_bytes").GetDouble();
        }
        Assert.True(Planned("recompute") < 0.5 * Planned("keep"));
    }

    [Fact]
    public void AnUnknownSettingIsAUsageError()
    {
        var r = Lut.Run("plan", "hello@1", "--memory", "kepe");
        Assert.Equal(2, r.Exit);
        Assert.Contains("did you mean keep?", r.Error);
    }
}
