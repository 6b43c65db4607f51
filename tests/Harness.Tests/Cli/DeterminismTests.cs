using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// hello@1 gives the digests that are committed, whatever the vector width, thread count, micro-batch, data workers,
/// locale, and wherever it was interrupted. The reference in results/reference was made once; these runs must all agree
/// with it.
/// </summary>
public sealed class DeterminismTests
{
    private static readonly Dictionary<string, string> None = [];

    public static TheoryData<string, string[]> Ways()
    {
        var data = new TheoryData<string, string[]>
        {
            { "default", [] },
            { "threads 1", ["--threads", "1"] },
            { "threads 2", ["--threads", "2"] },
            { "threads 3", ["--threads", "3"] },
            { "threads 8", ["--threads", "8"] },
            { "micro-batch 1", ["--micro-batch", "1"] },
            { "micro-batch 4", ["--micro-batch", "4"] },
            { "micro-batch 8", ["--micro-batch", "8"] },
            { "data workers 1", ["--data-workers", "1"] },
            { "data workers 4", ["--data-workers", "4", "--threads", "1"] },
            { "activations recomputed", ["--memory", "recompute", "--micro-batch", "8"] },
            { "256-bit vectors", ["--device", "cpu-256"] },
            { "128-bit vectors", ["--device", "cpu-128", "--threads", "3", "--micro-batch", "2"] },
            { "the scalar oracle", ["--device", "oracle"] },
            { "the CUDA kernels on the emulator", ["--device", "cuda:emulated", "--data-workers", "1"] },
        };
        return data;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void TheDigestsAreTheCommittedOnes(string way, string[] args)
    {
        using var folder = new TemporaryFolder();
        var r = Lut.Run(["run", "hello@1", "-q", "-o", folder.Path, .. args]);
        Assert.True(
            r.Exit == 0 && r.LastLine.StartsWith("VERDICT exact=IDENTICAL", StringComparison.Ordinal),
            $"{way}: exit {r.Exit}\n{r.Out}\n{r.Error}"
        );
    }

    [Fact]
    public void WithoutAvx512TheDigestsAreTheSame()
    {
        // the switch must really have worked: the recorded device tells
        using var folder = new TemporaryFolder();
        var r = Lut.RunWith(new() { ["DOTNET_EnableAVX512"] = "0" }, "run", "hello@1", "-q", "-o", folder.Path);
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
        if (Vector512.IsHardwareAccelerated)
            Assert.Contains("cpu-256", Lut.Run("show", folder.Run).Out);
    }

    [Fact]
    public void WithoutFusedMultiplyAddTheProgramRefuses()
    {
        if (!Fma.IsSupported)
            Assert.Skip("this machine has no x86 FMA to switch off");
        using var folder = new TemporaryFolder();
        var r = Lut.RunWith(new() { ["DOTNET_EnableAVX2"] = "0" }, "run", "hello@1", "-q", "-o", folder.Path);
        Assert.Equal(5, r.Exit);
        Assert.Contains("LUT5001", r.Error);
        Assert.Contains("fused multiply-add", r.Error);
        Assert.Equal(5, Lut.RunWith(new() { ["DOTNET_EnableAVX2"] = "0" }, "doctor", "--require", "exact").Exit);
    }

    [Fact]
    public void AGermanLocaleChangesNothing()
    {
        using var folder = new TemporaryFolder();
        var r = Lut.RunWith(
            new() { ["LC_ALL"] = "de_DE.UTF-8", ["LANG"] = "de_DE.UTF-8" },
            "run",
            "hello@1",
            "-q",
            "-o",
            folder.Path,
            "--checkpoint-minutes",
            "0.5"
        );
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
        Assert.Matches(@"knn_top1 +\d+/256 +\d+\.\d\d\n", r.Out);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(21)]
    public void StoppedAfterAnyStepAndResumedTheDigestsAreTheSame(int step)
    {
        using var folder = new TemporaryFolder();
        var stopped = Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--stop-after", $"{step}");
        if (step is not 12)
            Assert.Equal(75, stopped.Exit);
        if (stopped.Exit == 75)
        {
            Assert.Contains("--resume auto", stopped.Error);
            stopped = Lut.Run(
                "run",
                "hello@1",
                "-q",
                "-o",
                folder.Path,
                "--resume",
                "auto",
                "--threads",
                "1",
                "--micro-batch",
                "4"
            );
        }
        Assert.True(stopped.Exit == 0 && stopped.LastLine.Contains("exact=IDENTICAL"), stopped.Out + stopped.Error);
    }

    [Fact]
    public void TerminatedItWritesACheckpointAndExits75()
    {
        using var folder = new TemporaryFolder();
        string[] run = ["run", "hello@1", "-o", folder.Path, "--set", "pretrain.epochs=500"];
        using (var p = Lut.Start(None, [.. run, "-q"]))
        {
            WaitForRun(folder, p);
            Thread.Sleep(700);
            Lut.Terminate(p);
            p.StandardError.ReadToEnd();
            p.WaitForExit();
            Assert.Equal(75, p.ExitCode);
        }
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(folder.Run, "checkpoints"), "*.safetensors"));
        Assert.Equal(
            0,
            Lut.Run("verify", Directory.GetFiles(Path.Combine(folder.Run, "checkpoints"), "*.safetensors")[0]).Exit
        );
    }

    /// <summary>SIGKILL at whatever moment; checkpoints every few steps; resumed until done.</summary>
    [Theory]
    [InlineData(150)]
    [InlineData(420)]
    [InlineData(900)]
    public void KilledAtAnyMomentAndResumedTheDigestsAreTheSame(int milliseconds)
    {
        using var folder = new TemporaryFolder();
        string[] run = ["run", "hello@1", "-q", "-o", folder.Path, "--checkpoint-minutes", "0.0005"];
        for (int attempt = 0; attempt < 40; attempt++)
        {
            bool fresh = Directory.GetDirectories(folder.Path).Length == 0;
            using var p = Lut.Start(None, fresh ? run : [.. run, "--resume", folder.Run]);
            if (attempt < 3)
            {
                if (fresh)
                    WaitForRun(folder, p);
                p.WaitForExit(milliseconds + 130 * attempt);
                p.Kill();
                p.WaitForExit();
                continue;
            }
            string output = p.StandardOutput.ReadToEnd();
            string error = p.StandardError.ReadToEnd();
            p.WaitForExit();
            if (p.ExitCode == 2 && error.Contains("already complete"))
                output = Lut.Run("verify", folder.Run).Out;
            Assert.True(output.Contains("exact=IDENTICAL"), $"exit {p.ExitCode}\n{output}\n{error}");
            return;
        }
    }

    private static void WaitForRun(TemporaryFolder folder, System.Diagnostics.Process p)
    {
        for (int i = 0; i < 600 && !p.HasExited && Directory.GetDirectories(folder.Path).Length == 0; i++)
            Thread.Sleep(10);
    }
}
