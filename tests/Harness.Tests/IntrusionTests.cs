using System.Diagnostics;
using LutNative.Harness.Nightly;
using LutNative.Harness.Tests.Cli;

namespace LutNative.Harness.Tests;

/// <summary>Folders, files and names of somebody else do not choose what runs here or where files are written.</summary>
public sealed class IntrusionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private void Git(params string[] words)
    {
        var start = new ProcessStartInfo("git") { WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string w in new[] { "-c", "user.name=t", "-c", "user.email=t@t" }.Concat(words)) start.ArgumentList.Add(w);
        using var p = Process.Start(start)!;
        p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        Assert.Equal(0, p.ExitCode);
    }

    /// <summary>A repository of three commits; the last two have other "bits". Programs of its folder and its hooks leave a mark when they run.</summary>
    private void Repository()
    {
        Git("init", "-q", ".");
        foreach (string bits in new[] { "right", "wrong", "wrong " })
        {
            File.WriteAllText(folder["bits"], bits);
            Git("add", "bits");
            Git("commit", "-q", "-m", bits);
        }
        if (OperatingSystem.IsWindows()) return;
        foreach (string name in new[] { "git", "sh", "sha256sum", "cat", Path.Combine(".git", "hooks", "post-checkout") })
        {
            File.WriteAllText(folder[name], $"#!/bin/sh\necho {name} >> '{folder["owned"]}'\n");
            File.SetUnixFileMode(folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData(".:")]
    public void ProgramsOfTheCurrentFolderAreNotStarted(string firstOnPath)
    {
        Repository();
        var environment = new Dictionary<string, string> { ["PATH"] = firstOnPath + Environment.GetEnvironmentVariable("PATH") };
        var r = Lut.RunIn(folder.Path, environment, "bisect", "--good", "HEAD~2", "--command", "cat bits", "-q");
        Assert.False(File.Exists(folder["owned"]), File.Exists(folder["owned"]) ? "started: " + File.ReadAllText(folder["owned"]) : "");
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
}
