using System.Diagnostics;
using LutNative.Harness.Errors;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Tests.Cli;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>
/// Folders, files and names of somebody else do not choose what runs here or where files are written.
/// </summary>
public sealed class IntrusionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private void Git(params string[] words)
    {
        var start = new ProcessStartInfo("git")
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string w in new[] { "-c", "user.name=t", "-c", "user.email=t@t" }.Concat(words))
            start.ArgumentList.Add(w);
        using var p = Process.Start(start)!;
        p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        Assert.Equal(0, p.ExitCode);
    }

    /// <summary>
    /// A repository of three commits; the last two have other "bits". Programs of its folder and its hooks leave a mark
    /// when they run.
    /// </summary>
    private void Repository()
    {
        Git("init", "-q", ".");
        foreach (string bits in new[] { "right", "wrong", "wrong " })
        {
            File.WriteAllText(folder["bits"], bits);
            Git("add", "bits");
            Git("commit", "-q", "-m", bits);
        }
        if (OperatingSystem.IsWindows())
            return;
        foreach (
            string name in new[] { "git", "sh", "sha256sum", "cat", Path.Combine(".git", "hooks", "post-checkout") }
        )
        {
            File.WriteAllText(folder[name], $"#!/bin/sh\necho {name} >> '{folder["owned"]}'\n");
            File.SetUnixFileMode(
                folder[name],
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            );
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData(".:")]
    public void ProgramsOfTheCurrentFolderAreNotStarted(string firstOnPath)
    {
        Repository();
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = firstOnPath + Environment.GetEnvironmentVariable("PATH"),
        };
        var r = Lut.RunIn(folder.Path, environment, "bisect", "--good", "HEAD~2", "--command", "cat bits", "-q");
        Assert.False(
            File.Exists(folder["owned"]),
            File.Exists(folder["owned"]) ? "started: " + File.ReadAllText(folder["owned"]) : ""
        );
        Assert.True(r.Exit == 0 && r.Out.Contains("first commit with other bits"), r.Out + r.Error);
    }

    [Fact]
    public void ARevisionIsNeverAnOption()
    {
        Repository();
        foreach (string revision in new[] { "--output=owned", "-c", "--exec=touch owned" })
        {
            var e = Assert.Throws<LutError>(() => Bisect.Run(folder.Path, revision, "HEAD", "cat bits", _ => { }));
            Assert.Equal(Exit.Usage, e.Exit);
            Assert.Contains("is no revision", e.Message);
        }
        Assert.False(File.Exists(folder["owned"]));
    }

    [Fact]
    public void AProgramThatIsNotOnPathIsNamed()
    {
        var e = Assert.Throws<LutError>(() => ExecutablePath.Find("no-such-program"));
        Assert.Contains("no-such-program was not found", e.Message);
        Assert.True(Path.IsPathFullyQualified(ExecutablePath.Find("git")));
    }

    [Theory]
    [InlineData("../../owned")]
    [InlineData("/tmp/owned")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a\\b")]
    [InlineData("a\nb")]
    [InlineData("")]
    [InlineData("-rf")]
    public void ANameFromAFileIsNoPath(string name)
    {
        Assert.False(FileName.Fits(name));
        Assert.True(FileName.Fits(FileName.Of(name)), FileName.Of(name));
        Assert.NotEqual(FileName.Of(name), FileName.Of(name + " "));
        string night = folder["night"];
        Assert.StartsWith(
            Path.Combine(night, "perf") + Path.DirectorySeparatorChar,
            Path.GetFullPath(Night.ThroughputOf(night, name)),
            StringComparison.Ordinal
        );
        var red = new Finding(DateTime.UtcNow, "exact", name, "a-cpu", "DIVERGED", "c0ffee", "why");
        Assert.All(
            NightReport.Issues([
                [red],
            ]),
            i => Assert.True(FileName.Fits(i.File), i.File)
        );
    }

    /// <summary>The trial: a history with a row named ../../owned, and another night after it.</summary>
    [Fact]
    public void AHistoryWritesNothingOutside()
    {
        var finding = new Finding(DateTime.UtcNow, "exact", "../../owned", "a-cpu", "DIVERGED", "c0ffee", "why");
        var comparisons = new Table<ComparisonRow>([finding.ToRow(new RunId("id"), "reference", "tonight")]);
        RunStore.Create(folder["nights/20200101-000000"]).Commit([comparisons], new Dictionary<string, string>());
        string suite = folder["suite.toml"];
        File.WriteAllText(suite, "[bits.hello]\nprotocol = \"hello@1\"\n");
        var r = Lut.Run("nightly", "--suite", suite, "--baseline", folder["baselines"], "-o", folder["nights"], "-q");
        Assert.True(r.Exit == 0, r.Out + r.Error);
        Assert.Equal(
            ["nights", "suite.toml"],
            Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(3, Directory.GetFileSystemEntries(folder["nights"]).Length); // two nights and history.html
    }

    /// <summary>A protocol's name becomes a run's folder.</summary>
    [Fact]
    public void AProtocolCannotChooseItsFolder()
    {
        string toml = Protocol
            .ProtocolReader.Load("hello@1", [])
            .Toml.Replace("protocol = \"hello@1\"", "protocol = \"../owned\"");
        Assert.Contains("../owned", toml);
        File.WriteAllText(folder["p.toml"], toml);
        Assert.Contains(
            "it names the run's folder",
            Assert.Throws<LutError>(() => Protocol.ProtocolReader.Load(folder["p.toml"], [])).Message
        );
    }

    [Theory]
    [InlineData("[bits.\"../../owned\"]\nprotocol = \"hello@1\"\n")]
    [InlineData("[perf.\"a/b\"]\nshape = \"tiny\"\nstage = \"pretrain\"\nlaunches = 1\nblocks = 1\nseconds = 0.1\n")]
    public void ASuitesRowHasAName(string toml)
    {
        File.WriteAllText(folder["suite.toml"], toml);
        Assert.Throws<LutError>(() => Suite.Load(folder["suite.toml"]));
    }

    [Fact]
    public void ABaselineIsNamedAndQuoted()
    {
        File.WriteAllText(folder["a-cpu.toml"], "[perf.\"../x\"]\npinned = [1.0]\nband = 0.03\n");
        Assert.Contains("../x", Assert.Throws<LutError>(() => Baselines.Load(folder.Path, "a-cpu")).Message);
        File.Delete(folder["a-cpu.toml"]);
        var all = Baselines.Load(folder.Path, "../a cpu");
        Assert.Equal(folder.Path, Path.GetDirectoryName(Path.GetFullPath(all.Path)));
        const string Reason = "a\t\"b\"\r\u001b[2J\\u0041";
        all.Set(
            new Baseline("fashion-lut", [10.5], [], 0.03, "abc", "2026-01-01", "me\"\n[perf.owned]", "c0ffee", Reason)
        );
        all.Write();
        var row = Assert.Single(Baselines.Load(folder.Path, "../a cpu").Rows).Value;
        Assert.Equal((Reason, "me\" [perf.owned]"), (row.Reason, row.By));
    }

    /// <summary>Nights that begin in one second have a folder each.</summary>
    [Fact]
    public async Task NightsOfOneSecondAreNotMerged()
    {
        var at = new DateTime(2026, 1, 1, 2, 17, 0, DateTimeKind.Utc);
        string[] folders = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => Task.Run(() => NightFolder.Make(folder["nights"], at, "suite")))
        );
        Assert.Equal(20, folders.Distinct().Count());
        Assert.Equal(20, Directory.GetFileSystemEntries(folder["nights"]).Length);
        Assert.Equal(
            folders.Order(StringComparer.Ordinal),
            Directory.GetDirectories(folder["nights"]).Order(StringComparer.Ordinal)
        );
    }

    /// <summary>
    /// Whoever read the baselines before somebody else wrote them does not overwrite them, and whoever comes while they
    /// are being written is told who does it.
    /// </summary>
    [Fact]
    public void ABaselineThatChangedMeanwhileIsNotOverwritten()
    {
        static Baseline Row(string reason) =>
            new("tiny", [10.5], [], 0.03, "abc", "2026-01-01", "me", "c0ffee", reason);
        var (a, b) = (Baselines.Load(folder.Path, "a-cpu"), Baselines.Load(folder.Path, "a-cpu"));
        a.Set(Row("first"));
        b.Set(Row("second"));
        a.Write();
        Assert.Contains("have changed since they were read", Assert.Throws<LutError>(b.Write).Message);
        Assert.Equal("first", Baselines.Load(folder.Path, "a-cpu").Rows["tiny"].Reason);
        a.Set(Row("third"));
        a.Write(); // its own writing is no change
        using var alone = Baselines.Take(folder.Path);
        var r = Lut.Run("baseline", "expire", "tiny", "--baseline", folder.Path);
        Assert.True(r.Exit == 9 && r.Error.Contains(Environment.ProcessId.ToString()), r.Error);
    }
}
