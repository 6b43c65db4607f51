using System.Text;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// What a run began with, what its checkpoints are, and what its bits are so far, is on the record and checked.
/// </summary>
public sealed class RunIdentityTests(HelloRuns hello) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>
    /// The step in a checkpoint's own metadata is covered by the run's table, not by the file beside it alone.
    /// </summary>
    [Theory]
    [InlineData("edited")]
    [InlineData("exchanged")]
    public void ACheckpointThatIsNotTheRunsIsFound(string how)
    {
        string run = hello.CopyTo(folder["a"], "run", "--stop-after", "4");
        string checkpoint = Checkpoint(run);
        File.Delete(checkpoint + ".sha256");
        if (how == "edited")
        {
            byte[] bytes = File.ReadAllBytes(checkpoint);
            byte[] was = Encoding.ASCII.GetBytes("\"lut.part\":\"0\"");
            byte[] now = Encoding.ASCII.GetBytes("\"lut.part\":\"1\"");
            int at = bytes.AsSpan().IndexOf(was);
            Assert.True(at > 0);
            now.CopyTo(bytes, at);
            File.WriteAllBytes(checkpoint, bytes);
        }
        else
        {
            Assert.Equal(75, Lut.Run("run", "hello@1", "-q", "-o", folder["b"], "--stop-after", "4").Exit);
            File.Copy(Checkpoint(Directory.GetDirectories(folder["b"]).Single()), checkpoint, overwrite: true);
        }
        var resumed = Lut.Run("run", "hello@1", "-q", "--resume", run);
        Assert.Equal(6, resumed.Exit);
        Assert.Contains("is not what the run wrote: its SHA-256 is", resumed.Error);
        foreach (string target in new[] { run, checkpoint })
        {
            var verified = Lut.Run("verify", target);
            Assert.True(
                verified.Exit == 3 && verified.Out.Contains("is not what the run wrote"),
                verified.Out + verified.Error
            );
        }
    }

    [Fact]
    public void AStepThatIsNotTheNamesIsFoundEverywhere()
    {
        string run = hello.CopyTo(folder["a"], "run", "--stop-after", "4");
        string checkpoint = Checkpoint(run);
        File.Delete(checkpoint + ".sha256");
        File.Move(checkpoint, checkpoint.Replace("00000004", "00000005", StringComparison.Ordinal));
        var resumed = Lut.Run("run", "hello@1", "-q", "--resume", run);
        Assert.Equal(6, resumed.Exit);
        Assert.Contains("is not the checkpoint that its name says", resumed.Error);
    }

    [Fact]
    public void OtherWeightsAreAnotherExperiment()
    {
        string a = Checkpoint(hello.Of("pretrain"));
        string b = Checkpoint(hello.Of("pretrain", "--seed", "1"));
        string one = Finetuned("one", a);
        string two = Finetuned("two", b);
        string[] sums = [.. new[] { one, two }.Select(r => new RunStore(r).Read(Schema.Run).Rows[0].WeightsSha256!)];
        Assert.All(sums, s => Assert.Matches("^[0-9a-f]{64}$", s));
        var compared = Lut.Run("compare", one, two);
        Assert.True(compared.Exit == 4, compared.Out);
        foreach (string s in sums)
            Assert.Contains(s, compared.Out);
        Assert.Contains("checkpoints/pretrain-00000012.safetensors", compared.Out);
        Assert.Contains("VERDICT exact=INCOMPARABLE", compared.Out);
        Assert.DoesNotContain("look for a fault", compared.Out);
        // the same weights, from another file
        string copy = folder["copy.safetensors"];
        File.Copy(a, copy);
        var same = Lut.Run("compare", one, Finetuned("three", copy));
        Assert.True(same.Exit == 0 && same.LastLine.Contains("IDENTICAL"), same.Out);
    }

    [Fact]
    public void AResumeWithOtherWeightsIsRefused()
    {
        string a = Checkpoint(hello.Of("pretrain"));
        string b = Checkpoint(hello.Of("pretrain", "--seed", "1"));
        string[] run = ["finetune", "hello@1", "-q", "-o", folder["f"]];
        Assert.Equal(75, Lut.Run([.. run, "--checkpoint", a, "--stop-after", "3"]).Exit);
        var other = Lut.Run([.. run, "--checkpoint", b, "--resume", "auto"]);
        Assert.Equal(4, other.Exit);
        Assert.Contains("weights_sha256 of finetune-00000003.safetensors is", other.Error);
        Assert.Equal(
            4,
            Lut.Run("run", "hello@1", "-q", "--resume", Directory.GetDirectories(folder["f"]).Single()).Exit
        );
        Assert.Equal(8, Lut.Run("run", "hello@1", "-q", "-o", folder["f"], "--resume", "auto").Exit);
        Assert.Equal(0, Lut.Run([.. run, "--checkpoint", a, "--resume", "auto"]).Exit);
    }

    [Fact]
    public void ARunThatHasNotEndedIsVerifiedSoFar()
    {
        hello.CopyTo(folder.Path, "run", "--stop-after", "5");
        var r = Lut.Run("verify", folder.Run);
        Assert.Equal(4, r.Exit);
        Assert.Contains(
            "VERDICT exact=IDENTICAL-PREFIX steps=5 of=28 evals=0 last=\"pretrain step 4\" integrity=unfinished exit=4",
            r.Out
        );
    }

    [Fact]
    public void ARunningRunIsVerifiedAgainAndAgain()
    {
        using var p = Lut.Start(
            [],
            ["run", "hello@1", "-q", "-o", folder.Path, "--checkpoint-minutes", "0", "--threads", "1"]
        );
        var seen = new List<string>();
        while (!p.HasExited)
        {
            if (
                Directory.GetDirectories(folder.Path) is not [var run]
                || !File.Exists(Path.Combine(run, "config.canonical.json"))
            )
                continue;
            var r = Lut.Run("verify", run);
            Assert.True(r.Exit is 0 or 4, r.Out + r.Error);
            Assert.DoesNotContain("damage", r.Out);
            seen.Add(r.LastLine);
        }
        Assert.Equal(0, p.ExitCode);
        Assert.NotEmpty(seen);
        Assert.Contains("exact=IDENTICAL steps=28", Lut.Run("verify", folder.Run).LastLine);
    }

    [Fact]
    public void TheFirstOtherBitIsSaidAtOnceAndRecordedOnce()
    {
        string[] run = ["run", "hello@1", "-q", "--inject", "step=3,tensor=blocks.0.mlp.fc1.weight,bit=12"];
        var going = Lut.Run([.. run, "-o", folder["on"]]);
        Assert.Equal(0, going.Exit);
        Assert.Equal(1, going.Error.Split("other bits than its reference").Length - 1);
        Assert.Contains("step 3 of pretrain", going.Error);
        var events = new RunStore(Directory.GetDirectories(folder["on"]).Single())
            .Read(Schema.Events)
            .Rows.Where(e => e.Key == "reference_differs")
            .ToList();
        Assert.Equal(3L, Assert.Single(events).Step);

        var stopped = Lut.Run([.. run, "-o", folder["off"], "--fail-fast"]);
        Assert.Equal(3, stopped.Exit);
        Assert.Contains("LUT3400", stopped.Error);
        string left = Directory.GetDirectories(folder["off"]).Single();
        Assert.True(File.Exists(Path.Combine(left, "checkpoints", "pretrain-00000004.safetensors")));
        Assert.Equal(3, Lut.Run([.. run, "--resume", left, "--fail-fast"]).Exit);
        string reference = Path.Combine(Repository.Root, "results", "reference", "hello@1.digests");
        var verified = Lut.Run("verify", left, "--reference", reference);
        Assert.True(
            verified.Exit == 3
                && verified.Out.Contains("VERDICT exact=DIVERGED steps=4")
                && verified.Out.Contains("step 3 of pretrain"),
            verified.Out
        );
    }

    [Fact]
    public void FailFastWithoutAReferenceSaysSo()
    {
        var r = Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--seed", "9", "--fail-fast", "--stop-after", "1");
        Assert.Equal(75, r.Exit);
        Assert.Contains("--fail-fast has nothing to compare with", r.Error);
    }

    [Fact]
    public void IncomparableRunsAreToldWhichValuesDiffer()
    {
        Assert.Equal(
            75,
            Lut.Run(
                "pretrain",
                "hello@1",
                "-q",
                "-o",
                folder["b"],
                "--set",
                "pretrain.blr=0.001",
                "--stop-after",
                "1"
            ).Exit
        );
        string b = Directory.GetDirectories(folder["b"]).Single();
        var r = Lut.Run("compare", hello.Of("pretrain"), b);
        Assert.Equal(4, r.Exit);
        Assert.Contains("pretrain.blr: 0.002 and 0.001", r.Out);
        Assert.Contains("pretrain.blr: 0.001 and 0.002", Lut.Run("show", b).Out);
        Assert.Contains("pretrain.blr: 0.001 and 0.002", Lut.Run("ls", "-o", folder["b"]).Out);
    }

    private string Finetuned(string name, string checkpoint)
    {
        Assert.Equal(0, Lut.Run("finetune", "hello@1", "-q", "-o", folder[name], "--checkpoint", checkpoint).Exit);
        return Directory.GetDirectories(folder[name]).Single();
    }

    private static string Checkpoint(string run) =>
        Directory.GetFiles(Path.Combine(run, "checkpoints"), "*.safetensors").Single();
}
