using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// Signals end every verb, with the exit code that docs/EXIT_CODES.md says: whoever went on to its end has another. No
/// test looks at how long that takes.
/// </summary>
public sealed class SignalTests : IDisposable
{
    private const int Hup = 1;
    private const int Int = 2;
    private const int Term = 15;

    // for a machine that does much else; what is waited for comes in a second or so
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);

    /// <summary>
    /// Starts the verb by a shell that gives signals their usual meaning, waits until it has begun and for a time more,
    /// sends the signal.
    /// </summary>
    private static (int Exit, string Error) End(
        int signal,
        int afterMs,
        string[] words,
        Func<bool>? begun = null,
        int again = 0
    )
    {
        var info = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (
            string w in (string[])
                ["-c", "exec dotnet \"$@\"", "sh", Path.Combine(AppContext.BaseDirectory, "lut.dll"), .. words]
        )
            info.ArgumentList.Add(w);
        using var p = Process.Start(info)!;
        var error = p.StandardError.ReadToEndAsync();
        var output = p.StandardOutput.ReadToEndAsync();
        if (begun is not null)
            Assert.True(SpinWait.SpinUntil(() => p.WaitForExit(20) || begun(), Patience), "it does not begin");
        Assert.False(p.WaitForExit(afterMs), string.Join(' ', words) + " ended before the signal");
        _ = SendSignal(p.Id, signal);
        if (again > 0)
        {
            Thread.Sleep(again);
            _ = SendSignal(p.Id, signal);
        }
        bool ended = p.WaitForExit(Patience);
        if (!ended)
            p.Kill(entireProcessTree: true);
        Assert.True(ended, string.Join(' ', words) + " does not end");
        return (p.ExitCode, error.Result);
    }

    private bool Has(string pattern) =>
        Directory.EnumerateFiles(folder.Path, pattern, SearchOption.AllDirectories).Any();

    /// <summary>fashion-lut@1, told to stop after its first checkpoint: it ends with one of the step it was in.</summary>
    private void AssertStopsAfterItsStep(int signal, int again = 0)
    {
        string[] run = ["run", "fashion-lut@1", "-q", "-o", folder.Path, "--checkpoint-minutes", "0"];
        var r = End(signal, 100, run, () => Has("pretrain-*.safetensors"), again);
        var told = Regex.Match(r.Error, @"stopped after step (\d+) of \d+ of pretrain; a checkpoint was written");
        Assert.True(r.Exit == 75 && told.Success, r.Error);
        int step = int.Parse(told.Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.True(Has($"pretrain-{step:d8}.safetensors"));
        Assert.Equal(step, new RunStore(folder.Run).Read(Schema.Steps).Rows.Count);
    }

    /// <summary>Verbs that keep no checkpoint: the signal itself ends them, and their children with them.</summary>
    [Theory]
    [InlineData(Term, "bench", "tiny", "--seconds", "60")]
    [InlineData(Int, "bench", "tiny", "--seconds", "60")]
    [InlineData(Hup, "bench", "tiny", "--seconds", "60", "--launches", "0")]
    [InlineData(Term, "bench", "tiny", "--seconds", "60", "--against", "self")]
    [InlineData(Term, "doctor", "--probe")]
    [InlineData(Int, "doctor", "--require", "perf")]
    public void AVerbWithoutCheckpointsEndsByTheSignal(int signal, params string[] words)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("there are no such signals");
        Assert.Equal(128 + signal, End(signal, 2000, words).Exit);
    }

    /// <summary>Verbs that read images, and those that compute one long step.</summary>
    [Theory]
    [InlineData(Term, "data", "bench", "SET", "--split", "val", "--seconds", "60")]
    [InlineData(Hup, "data", "bench", "SET", "--split", "val", "--seconds", "60")]
    [InlineData(Int, "export-step", "vitb16", "OUT", "--batch", "32")]
    public void AVerbOfLongWorkEndsByTheSignal(int signal, params string[] words)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("there are no such signals");
        string set = Directory.CreateDirectory(folder["set/val/c0"]).FullName;
        foreach (
            string file in Directory.GetFiles(
                Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg")
            )
        )
            File.Copy(file, Path.Combine(set, Path.GetFileName(file)), overwrite: true);
        string[] here =
        [
            .. words.Select(w =>
                w == "SET" ? folder["set"]
                : w == "OUT" ? folder["step.safetensors"]
                : w
            ),
        ];
        Assert.Equal(128 + signal, End(signal, 1500, here).Exit);
        Assert.False(File.Exists(folder["step.safetensors"]));
    }

    /// <summary>A pipe that nobody writes to: reading it never ends.</summary>
    [Theory]
    [InlineData("verify", "PIPE.safetensors")]
    [InlineData("compare", "PIPE.safetensors", "PIPE.safetensors")]
    [InlineData("convert", "PIPE.pth", "out.safetensors")]
    [InlineData("plan", "PIPE.toml")]
    public void AVerbThatWaitsForTheSystemEndsToo(params string[] words)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("there are no such signals");
        string[] here = [.. words.Select(w => w.Contains('.', StringComparison.Ordinal) ? folder[w] : w)];
        foreach (string pipe in here.Where(w => w.Contains("PIPE", StringComparison.Ordinal)).Distinct())
            Process.Start("mkfifo", pipe)!.WaitForExit();
        Assert.Equal(128 + Term, End(Term, 1500, here).Exit);
    }

    [Theory]
    [InlineData(Hup)]
    [InlineData(Int)]
    [InlineData(Term)]
    public void ARunStopsAfterItsStepWithACheckpoint(int signal)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("there are no such signals");
        AssertStopsAfterItsStep(signal);
    }

    /// <summary>`timeout` sends to the process and to its group: that is one request, not two.</summary>
    [Fact]
    public void TwoSignalsAtOnceAreOne()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("there are no such signals");
        AssertStopsAfterItsStep(Term, again: 20);
    }

    /// <summary>
    /// A step of minutes: the first signal waits for it, the second does not. There is no checkpoint, so nothing to go
    /// on from.
    /// </summary>
    [Fact]
    public void ASecondSignalEndsALongStep()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("there are no such signals");
        string[] longStep =
        [
            "run",
            "fashion-lut@1",
            "-q",
            "-o",
            folder.Path,
            "--device",
            "oracle",
            "--set",
            "pretrain.batch=8192",
        ];
        var r = End(Term, 3000, longStep, () => Has("config.canonical.json"), again: 1500);
        Assert.True(r.Exit == 128 + Term, r.Error);
        Assert.Contains("a second signal stops at once", r.Error);
        Assert.Contains("there was no checkpoint yet", r.Error);
    }

    [Fact]
    public void WhatNohupIgnoresStaysIgnored()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("what is ignored is read from /proc");
        using var p = Process.Start(
            new ProcessStartInfo("/bin/sh")
            {
                ArgumentList =
                {
                    "-c",
                    "trap '' HUP; exec dotnet \"$@\"",
                    "sh",
                    Path.Combine(AppContext.BaseDirectory, "lut.dll"),
                    "run",
                    "hello@1",
                    "-q",
                    "-o",
                    folder.Path,
                },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        while (!p.HasExited && !Directory.EnumerateFiles(folder.Path, "config.*", SearchOption.AllDirectories).Any())
            Thread.Sleep(5);
        _ = SendSignal(p.Id, Hup);
        string output = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        Assert.True(p.ExitCode == 0 && output.Contains("exact=IDENTICAL", StringComparison.Ordinal), output);
    }
}
