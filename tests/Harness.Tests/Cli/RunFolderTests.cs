using System.Diagnostics;
using System.Text;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>A run's folder has one owner; nothing in it is guessed, and nothing is removed without proof.</summary>
public sealed class RunFolderTests(HelloRuns hello) : IDisposable
{
    private static readonly string[] Hello = ["run", "hello@1", "-q"];
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(700)]
    public void OfTwoProcessesOneGetsTheFolder(int milliseconds)
    {
        Interrupted(3);
        string run = folder.Run;
        using var first = Lut.Start([], [.. Hello, "--resume", run]);
        Thread.Sleep(milliseconds);
        using var second = Lut.Start([], [.. Hello, "--resume", run]);
        string[] errors = [.. new[] { first, second }.Select(p => p.StandardError.ReadToEnd())];
        first.WaitForExit();
        second.WaitForExit();
        int[] exits = [first.ExitCode, second.ExitCode];
        Assert.True(exits.Contains(0) && exits.Any(e => e is 9 or 2), string.Join('\n', errors));
        // the one that lost came while the other worked, or after it was done
        Assert.Contains(
            errors,
            e => e.Contains("another process is working in this folder") || e.Contains("already complete")
        );
        var verified = Lut.Run("verify", run);
        Assert.True(
            verified.Exit == 0
                && verified.LastLine.Contains("exact=IDENTICAL")
                && verified.LastLine.Contains("integrity=ok"),
            verified.Out
        );
        Assert.False(File.Exists(Path.Combine(run, FolderLock.Name)));
    }

    [Fact]
    public void TheSecondIsToldWhoTheFirstIsAndTouchesNothing()
    {
        string[] run = [.. Hello, "--set", "pretrain.epochs=3000", "--checkpoint-minutes", "60", "-o", folder.Path];
        using var first = Lut.Start([], run);
        for (
            int i = 0;
            i < 600
                && !first.HasExited
                && !(
                    Directory.GetDirectories(folder.Path) is [var d]
                    && File.Exists(Path.Combine(d, "config.resolved.toml"))
                );
            i++
        )
            Thread.Sleep(10);
        var before = Contents(folder.Run);
        var second = Lut.Run([.. run, "--resume", "auto"]);
        Assert.Equal(9, second.Exit);
        Assert.Contains("LUT9400", second.Error);
        Assert.Contains($"pid {first.Id} on host {Environment.MachineName}, started 20", second.Error);
        Assert.Equal(before, Contents(folder.Run));
        first.Kill();
        first.WaitForExit();
        // the system has freed the lock: the next one gets the folder
        Assert.Equal(75, Lut.Run([.. run, "--resume", "auto", "--stop-after", "1"]).Exit);
    }

    /// <summary>As after a partition of the network: the server gave the lock to another machine.</summary>
    [Fact]
    public void WhoeverLostTheFolderStopsBeforeItWrites()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows keeps others from writing LOCK");
        string[] run = [.. Hello, "--set", "pretrain.epochs=300", "--checkpoint-minutes", "0.01", "-o", folder.Path];
        using var first = Lut.Start([], run);
        for (
            int i = 0;
            i < 600
                && !first.HasExited
                && !(
                    Directory.GetDirectories(folder.Path) is [var d]
                    && File.Exists(Path.Combine(d, "config.resolved.toml"))
                );
            i++
        )
            Thread.Sleep(10);
        string text = Path.Combine(folder.Run, FolderLock.Name);
        using (
            var other = Process.Start(
                new ProcessStartInfo(
                    "sh",
                    ["-c", "printf 'pid 7\\nhost other\\nstart now\\nprogram lut\\ntoken t\\n' > \"$0\"", text]
                )
            )!
        )
            other.WaitForExit();
        string error = first.StandardError.ReadToEnd();
        first.WaitForExit();
        Assert.Equal(9, first.ExitCode);
        Assert.Contains("LUT9400", error);
        Assert.Contains("pid 7 on host other", error);
    }

    [Fact]
    public void AFolderOfSomebodyElseIsRefusedAndStaysAsItIs()
    {
        Directory.CreateDirectory(folder["data"]);
        File.WriteAllText(Path.Combine(folder["data"], "train-00000-of-00003.parquet"), "somebody's");
        File.WriteAllText(Path.Combine(folder["data"], "steps-00000.parquet"), "somebody's too");
        Refused(2, "LUT2400", "train-00000-of-00003.parquet", folder["data"]);
        var r = Lut.Run("show", folder["data"]);
        Assert.NotEqual(0, r.Exit);
    }

    [Fact]
    public void ARunOfOtherValuesIsRefusedNamingThem()
    {
        Interrupted(3, "--set", "pretrain.blr=0.001");
        Refused(4, "LUT4400", "pretrain.blr: 0.001 and 0.002", folder.Run);
        Refused(4, "LUT4400", "seed: 0 and 5", folder.Run, "--set", "pretrain.blr=0.001", "--seed", "5");
    }

    [Fact]
    public void FilesThatAreNotOursStayInARunsFolder()
    {
        Interrupted(3);
        string[] theirs =
        [
            "train-00000-of-00003.parquet",
            "steps-00000-of-00003.parquet",
            "steps-7.parquet",
            "notes-00009.parquet",
            ".swp.0123456789abcdef",
            "slurm-1.out",
        ];
        foreach (string name in theirs)
            File.WriteAllText(Path.Combine(folder.Run, name), name);
        File.WriteAllText(Path.Combine(folder.Run, "checkpoints", "pretrain-00000001.backup.safetensors"), "mine");
        // what a lut that was killed was writing is ours
        string torn = Path.Combine(folder.Run, "checkpoints", ".pretrain-00000003.safetensors.0123456789abcdef.tmp");
        File.WriteAllText(torn, "torn");
        var r = Lut.Run([.. Hello, "--resume", folder.Run]);
        Assert.True(r.Exit == 0 && r.LastLine.Contains("exact=IDENTICAL"), r.Out + r.Error);
        foreach (string name in theirs)
            Assert.Equal(name, File.ReadAllText(Path.Combine(folder.Run, name)));
        Assert.True(File.Exists(Path.Combine(folder.Run, "checkpoints", "pretrain-00000001.backup.safetensors")));
        Assert.False(File.Exists(torn));
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("half")]
    [InlineData("flipped")]
    public void WhenNoCheckpointCanBeUsedNothingIsRemoved(string how)
    {
        string[] checkpoints = TwoCheckpoints();
        foreach (string c in checkpoints)
            Damage(c, how);
        var r = Refused(6, "LUT6400", "none of 2 checkpoints can be used", folder.Run);
        foreach (string c in checkpoints)
            Assert.Contains(Path.GetFileName(c), r.Error);
    }

    [Fact]
    public void ADamagedCheckpointIsSaidEvenUnderQuietAndTheOlderOneIsTaken()
    {
        string[] checkpoints = TwoCheckpoints();
        Damage(checkpoints[1], "half");
        var r = Lut.Run([.. Hello, "--resume", folder.Run]);
        Assert.True(r.Exit == 0 && r.LastLine.Contains("exact=IDENTICAL"), r.Out + r.Error);
        Assert.Contains("warning: skipping a damaged checkpoint", r.Error);
        Assert.Contains(Path.GetFileName(checkpoints[1]), r.Error);
        var verified = Lut.Run("verify", folder.Run);
        Assert.True(verified.Exit == 0, verified.Out);
    }

    /// <summary>A folder in the file's place cannot be read by anybody, root neither.</summary>
    [Fact]
    public void ACheckpointThatCannotBeReadIsNoDamage()
    {
        string newest = TwoCheckpoints()[1];
        File.Move(newest, newest + ".away");
        Directory.CreateDirectory(newest);
        Refused(9, "LUT9402", Path.GetFileName(newest), folder.Run);
    }

    [Fact]
    public void WithoutPermissionNothingIsRemoved()
    {
        string newest = TwoCheckpoints()[1];
        if (OperatingSystem.IsWindows())
            return;
        File.SetUnixFileMode(newest, UnixFileMode.None);
        try
        {
            File.OpenRead(newest).Dispose();
            Assert.Skip("this user may read everything (root)");
        }
        catch (UnauthorizedAccessException) { }
        Assert.Equal(9, Lut.Run([.. Hello, "--resume", folder.Run]).Exit);
        File.SetUnixFileMode(newest, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(0, Lut.Run([.. Hello, "--resume", folder.Run]).Exit);
    }

    [Fact]
    public void WithoutAnyCheckpointItStartsAgainAndSaysSo()
    {
        Interrupted(3);
        Directory.Delete(Path.Combine(folder.Run, "checkpoints"), recursive: true);
        var r = Lut.Run([.. Hello, "--resume", folder.Run]);
        Assert.True(r.Exit == 0 && r.LastLine.Contains("exact=IDENTICAL"), r.Out + r.Error);
        Assert.Contains("it starts again from step 0", r.Error);
    }

    /// <summary>
    /// Later parts prove that a checkpoint was there: what it knew is not thrown away because it is gone.
    /// </summary>
    [Fact]
    public void CheckpointsThatAreGoneAreMissed()
    {
        TwoCheckpoints();
        Directory.Delete(Path.Combine(folder.Run, "checkpoints"), recursive: true);
        Refused(6, "LUT6401", "the run's checkpoints are gone", folder.Run);
    }

    [Fact]
    public void PartsOfAnotherRunAreNeverRemoved()
    {
        Interrupted(3);
        string mine = folder.Run;
        Assert.Equal(75, Lut.Run([.. Hello, "-o", folder["other"], "--stop-after", "6"]).Exit);
        string other = Directory.GetDirectories(folder["other"]).Single();
        File.Copy(Path.Combine(other, "events-00000.parquet"), Path.Combine(mine, "events-00001.parquet"));
        Refused(9, "LUT9409", "run_id", mine);
        Directory.Delete(Path.Combine(mine, "checkpoints"), recursive: true);
        Refused(9, "LUT9409", "run_id", mine);
    }

    [Fact]
    public void AMissingPartIsNoticed()
    {
        TwoCheckpoints();
        File.Delete(Path.Combine(folder.Run, "events-00000.parquet"));
        Refused(9, "LUT9410", "events-00000.parquet", folder.Run);
    }

    [Fact]
    public void NothingIsRemovedThroughALink()
    {
        Interrupted(3);
        string run = folder.Run;
        string inside = Path.Combine(run, "checkpoints");
        Directory.Move(inside, folder["elsewhere"]);
        Directory.CreateSymbolicLink(inside, folder["elsewhere"]);
        Refused(2, "LUT2401", "checkpoints", run);
        Directory.Delete(inside);
        Directory.Move(folder["elsewhere"], inside);
        string steps = Path.Combine(run, "steps-00000.parquet");
        File.Move(steps, folder["steps"]);
        File.CreateSymbolicLink(steps, folder["steps"]);
        Refused(2, "LUT2401", "steps-00000.parquet", run);
    }

    [Theory]
    [InlineData(6, "--data", "/nowhere")]
    [InlineData(2, "--device", "cpu-255")]
    [InlineData(2, "--inject", "step=0,tensor=nothing.weight,bit=1")]
    [InlineData(2, "--resume", "/nowhere")]
    [InlineData(
        2,
        "--device",
        "cuda:emulated",
        "--math",
        "run-to-run",
        "--set",
        "model.width=128",
        "--set",
        "model.heads=1"
    )]
    public void ARefusedStartLeavesNoFolderBehind(int exit, params string[] args)
    {
        Assert.Equal(exit, Lut.Run([.. Hello, "-o", folder["out"], .. args]).Exit);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void OnceDoesNoWorkTwice()
    {
        Interrupted(3);
        var resumed = Lut.Run([.. Hello, "--once", "-o", folder.Path]);
        Assert.True(resumed.Exit == 0 && resumed.LastLine.Contains("exact=IDENTICAL"), resumed.Out + resumed.Error);
        var before = Contents(folder.Run);
        var verified = Lut.Run([.. Hello, "--once", "-o", folder.Path]);
        Assert.True(verified.Exit == 0 && verified.LastLine.Contains("integrity=ok"), verified.Out + verified.Error);
        Assert.Contains("is complete: nothing is computed", verified.Error);
        Assert.Equal(before, Contents(folder.Run));
        // another seed is another run
        Assert.Equal(75, Lut.Run([.. Hello, "--once", "--seed", "4", "--stop-after", "1", "-o", folder.Path]).Exit);
        Assert.Equal(2, Directory.GetDirectories(folder.Path).Length);
    }

    private void Interrupted(int steps, params string[] args) =>
        hello.CopyTo(folder.Path, "run", ["--stop-after", $"{steps}", .. args]);

    private string[] TwoCheckpoints()
    {
        Interrupted(3);
        Assert.Equal(75, Lut.Run([.. Hello, "--resume", folder.Run, "--stop-after", "3"]).Exit);
        string[] found =
        [
            .. Directory
                .GetFiles(Path.Combine(folder.Run, "checkpoints"), "*.safetensors")
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(2, found.Length);
        return found;
    }

    /// <summary>A resume of a run in a folder is refused, and every byte in it stays.</summary>
    private static Lut.Result Refused(int exit, string id, string says, string run, params string[] args)
    {
        var before = Contents(run);
        var r = Lut.Run([.. Hello, "--resume", run, .. args]);
        Assert.True(r.Exit == exit, $"exit {r.Exit}\n{r.Out}{r.Error}");
        Assert.Contains(id, r.Error);
        Assert.Contains(says, r.Error);
        Assert.Equal(before, Contents(run));
        return r;
    }

    private static string Contents(string run)
    {
        var text = new StringBuilder();
        foreach (
            string entry in Directory
                .GetFileSystemEntries(run, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
        )
            if (Path.GetFileName(entry) != FolderLock.Name)
                text.Append(Path.GetRelativePath(run, entry))
                    .Append(' ')
                    .Append(File.Exists(entry) ? RunStore.Sha256(entry) : "folder")
                    .Append('\n');
        return text.ToString();
    }

    private static void Damage(string path, string how)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (how == "flipped")
            bytes[^(bytes.Length / 3)] ^= 1;
        File.WriteAllBytes(
            path,
            how switch
            {
                "empty" => [],
                "half" => bytes[..(bytes.Length / 2)],
                _ => bytes,
            }
        );
    }
}
