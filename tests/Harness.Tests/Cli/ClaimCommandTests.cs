using System.Globalization;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// verify --claim over runs' folders as a cluster would leave them (their tables written here, since nobody trains
/// ViT-B in a test).
/// </summary>
public sealed class ClaimCommandTests
{
    private static string Run(TemporaryFolder folder, string protocol, long seed, long correct, long n)
    {
        string path = folder[$"{protocol}_s{seed}_{Guid.NewGuid():n}"[..40]];
        var store = RunStore.Create(path);
        var run = PlainRow.Of<RunRow>("x") with
        {
            Protocol = protocol,
            ProtocolModified = protocol.Contains('+'),
            Seed = seed,
            Contract = "exact-1",
        };
        var eval = PlainRow.Of<EvalRow>("x") with
        {
            Metric = "finetune_top1",
            Split = "test",
            Correct = correct,
            N = n,
            Value = 100.0 * correct / n,
        };
        store.Commit(
            [new Table<RunRow>([run]), new Table<EvalRow>([eval])],
            new Dictionary<string, string>
            {
                ["lut.run_id"] = "id",
                ["lut.protocol"] = protocol,
                ["lut.math_hash"] = "m",
                ["lut.data_hash"] = "d",
                ["lut.writer"] = "test",
            }
        );
        store.WriteManifest();
        return path;
    }

    [Theory]
    [InlineData("42080,42120,42100", 0, "REPRODUCED")]
    [InlineData("41900,42100,42250", 4, "CONSISTENT")]
    [InlineData("41800,41810,41805", 3, "NOT REPRODUCED")]
    [InlineData("42400,42410,42405", 3, "EXCEEDS")]
    [InlineData("42100", 4, "UNDERPOWERED")]
    public void SeedsOfTheHeadlineGiveAVerdict(string correct, int exit, string verdict)
    {
        using var folder = new TemporaryFolder();
        string[] runs =
        [
            .. correct
                .Split(',')
                .Select(
                    (c, seed) =>
                        Run(folder, "imagenet-lut-vitb16@1", seed, long.Parse(c, CultureInfo.InvariantCulture), 50_000)
                ),
        ];
        var r = Lut.Run(["verify", "--claim", "lut-vitb-84.2", .. runs]);
        Assert.True(r.Exit == exit, r.Out + r.Error);
        Assert.Equal($"VERDICT claim=lut-vitb-84.2 {verdict} exit={exit}", r.LastLine);
        Assert.Contains("MAE is 83.6", r.Out);
        Assert.Contains("/50000", r.Out);
        using var json = System.Text.Json.JsonDocument.Parse(
            Lut.Run(["verify", "--json", "--claim", "lut-vitb-84.2", .. runs]).Out
        );
        Assert.Equal(exit, json.RootElement.GetProperty("exit").GetInt32());
    }

    [Theory]
    [InlineData("imagenet-lut-vitb16@1+modified", 50_000, "its protocol is")]
    [InlineData("imagenet-mae-vitb16@1", 50_000, "its protocol is")]
    [InlineData("imagenet-lut-vitb16@1", 49_999, "49999 images")]
    public void ARunThatIsAnotherExperimentDoesNotCount(string protocol, long n, string says)
    {
        using var folder = new TemporaryFolder();
        var r = Lut.Run("verify", "--claim", "lut-vitb-84.2", Run(folder, protocol, 0, 42_000, n));
        Assert.Equal(4, r.Exit);
        Assert.Contains(says, r.Error);
    }

    [Fact]
    public void TheSameSeedTwiceIsOneRun()
    {
        using var folder = new TemporaryFolder();
        string a = Run(folder, "imagenet-lut-vitb16@1", 0, 42_000, 50_000);
        string b = Run(folder, "imagenet-lut-vitb16@1", 0, 42_000, 50_000);
        Assert.Contains("adds nothing", Lut.Run("verify", "--claim", "lut-vitb-84.2", a, b).Error);
        Assert.Equal(2, Lut.Run("verify", a, b).Exit);
        Assert.Contains("did you mean", Lut.Run("verify", "--claim", "lut-vitb-84", a).Error);
    }
}
