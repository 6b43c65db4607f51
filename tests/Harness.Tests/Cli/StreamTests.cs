using System.Diagnostics;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// No output stream, terminal or limit can end or change a run: its record is whole, and the exit code tells what the
/// caller did not get.
/// </summary>
public sealed class StreamTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>By a shell, since only it can close and redirect as users do. "$@" is lut and its words.</summary>
    private static (int Exit, string Out, string Error) Sh(string script, params string[] words)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("written for a POSIX shell");
        var info = new ProcessStartInfo("/bin/bash")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        info.Environment["LC_ALL"] = "C"; // a shell complains of a locale that is not installed
        foreach (
            string w in (string[])
                ["-c", script, "bash", "dotnet", Path.Combine(AppContext.BaseDirectory, "lut.dll"), .. words]
        )
            info.ArgumentList.Add(w);
        using var p = Process.Start(info)!;
        var error = p.StandardError.ReadToEndAsync();
        string output = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        return (p.ExitCode, output, error.Result);
    }

    [Theory]
    [InlineData(0, "\"$@\" 2>/dev/full")]
    [InlineData(0, "\"$@\" 2>&-")]
    [InlineData(0, "\"$@\" 2> >(head -c 1 >/dev/null)")]
    [InlineData(0, "\"$@\" <&-")]
    [InlineData(0, "set -o pipefail; \"$@\" | head -c 1 >/dev/null")]
    [InlineData(0, "TERM=xterm script -qec \"$(printf '%q ' \"$@\")\" /dev/null </dev/null >/dev/null 2>&1")]
    [InlineData(9, "\"$@\" >/dev/full")]
    [InlineData(9, "\"$@\" >&-")]
    [InlineData(9, "\"$@\" <&- >&- 2>&-")]
    public void ARunIsWholeWhateverItsStreamsAre(int exit, string script)
    {
        var r = Sh(script, "run", "hello@1", "-o", folder.Path);
        if (r.Exit == 127)
            Assert.Skip("there is no `script` here");
        Assert.True(r.Exit == exit, r.Out + r.Error);
        if (exit == 9 && !script.Contains("2>&-", StringComparison.Ordinal))
            Assert.Contains("standard output cannot be written", r.Error);
        Assert.Equal(
            "VERDICT exact=IDENTICAL steps=28 tensors=432 evals=6 integrity=ok exit=0",
            Lut.Run("verify", folder.Run).LastLine
        );
    }

    /// <summary>A full pipe that nobody reads: the run does not wait for its progress to be read.</summary>
    [Fact]
    public void AReaderWhoDoesNotReadHoldsNobodyUp()
    {
        const string Script =
            "mkfifo \"$STUCK\"; exec 7<>\"$STUCK\"; (timeout 1 dd if=/dev/zero of=\"$STUCK\" bs=4096 "
            + "2>/dev/null; true); \"$@\" 2>&7";
        var r = Sh($"STUCK={folder["stuck"]}; {Script}", "run", "hello@1", "-o", folder["runs"]);
        Assert.True(r.Exit == 0 && r.Out.Contains("exact=IDENTICAL", StringComparison.Ordinal), r.Out + r.Error);
    }

    [Fact]
    public void AHeadThatHasEnoughIsNoFailure()
    {
        var r = Sh("set -o pipefail; \"$@\" | head -1", "ls");
        Assert.True(r.Exit == 0 && r.Error.Length == 0, r.Error);
    }

    [Theory]
    [InlineData(64, 5)]
    [InlineData(30, 5)]
    [InlineData(128, 0)]
    public void TooFewDescriptorsAreAnErrorAndEnoughAreEnough(int limit, int exit)
    {
        var r = Sh($"ulimit -n {limit}; \"$@\"", "run", "hello@1", "-q", "-o", folder.Path);
        Assert.True(r.Exit == exit, r.Error);
        if (exit == 5)
        {
            Assert.Contains("LUT5460", r.Error);
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        }
    }
}
