using System.Diagnostics;
using LutNative.Harness.Tests.Cli;

namespace LutNative.Harness.Tests;

/// <summary>
/// ops/gpu-check.sh as it runs from a pack, with programs that answer, fail and hang: whoever has a card for half an
/// hour gets what was found.
/// </summary>
public sealed class GpuCheckTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private void Program(string name, string text)
    {
        string path = Path.Combine(folder["pack"], name);
        File.WriteAllText(path, "#!/usr/bin/env bash\n" + text + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
    }

    private (int Exit, string Out, string Table) Check(string lut, string tests, int seconds)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "it is a shell script");
        Directory.CreateDirectory(folder["pack"]);
        File.Copy(
            Path.Combine(Repository.Root, "ops", "gpu-check.sh"),
            Path.Combine(folder["pack"], "gpu-check.sh"),
            overwrite: true
        );
        Program("lut", lut);
        Program("LutNative.Model.Tests", tests);
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        foreach (string word in new[] { Path.Combine("pack", "gpu-check.sh"), "cuda:0", "out" })
            start.ArgumentList.Add(word);
        foreach (
            var (name, value) in new Dictionary<string, string>
            {
                ["GPU_CHECK_SECONDS"] = $"{seconds}",
                ["GPU_CHECK_GRACE"] = "1",
                ["PYTHON"] = "no-python",
                ["LC_ALL"] = "C",
            }
        )
            start.Environment[name] = value;
        using var p = Process.Start(start)!;
        var error = p.StandardError.ReadToEndAsync();
        string output = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        return (p.ExitCode, output + error.Result, File.ReadAllText(Path.Combine(folder["out"], "gpu-check.md")));
    }

    private const string Good = """
        case "$1" in
          doctor) echo "FIT: gpu" ;;
          run | compare) echo "VERDICT exact=IDENTICAL steps=28 exit=0" ;;
          pretrain) while [ $# -gt 0 ]; do [ "$1" = -o ] && mkdir -p "$2/run"; shift; done ;;
          bench) case "$*" in *--kernels*) echo '  "measured_ms": 1.5,' ;; *) echo "images/s  388   95 % interval" ;; esac ;;
        esac
        """;

    [Fact]
    public void EverythingPassesAndComesBackInTwoFiles()
    {
        var (exit, output, table) = Check(
            Good,
            "[ -n \"$LUT_TEST_REPORT$LUT_TEST_DEVICE\" ] && [ -w \"$CUDA_CACHE_PATH\" ] && echo '  succeeded: 1'",
            60
        );
        Assert.True(exit == 0 && !table.Contains("FAILED", StringComparison.Ordinal), output);
        Assert.EndsWith(table.Trim(), output.Trim(), StringComparison.Ordinal); // the table last
        Assert.Equal(
            ["gpu-check.md", "gpu-check.tar.gz"],
            Directory.GetFileSystemEntries(folder["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        string[] checks =
        [
            .. table
                .Split('\n')
                .Where(l => l.StartsWith("| ", StringComparison.Ordinal))
                .Skip(2)
                .Select(l => l.Split('|')[1].Trim()),
        ];
        Assert.Equal(
            [
                "device and its state",
                "hello@1, digests",
                "kernels equal the oracle",
                "vitb16, batch 128, exact, kernels (JSON)",
            ],
            checks[..4]
        );
    }

    /// <summary>
    /// A program that hangs and does not listen to TERM costs its time and no more; what came before is there, what
    /// comes after says that there was no time.
    /// </summary>
    [Fact]
    public void AHangIsKilledAndNothingIsLost()
    {
        string hangs = Good.Replace(
            "bench) case",
            "bench) trap '' TERM; while :; do sleep 0.2; done; case",
            StringComparison.Ordinal
        );
        var clock = Stopwatch.StartNew();
        var (exit, output, table) = Check(hangs, "echo '  succeeded: 1'", 4);
        Assert.InRange(clock.Elapsed.TotalSeconds, 3, 30);
        Assert.True(exit == 1, output);
        Assert.Contains("| hello@1, digests | VERDICT exact=IDENTICAL", table);
        Assert.Contains("kernels (JSON) | FAILED (exit 137", table);
        Assert.Contains("| hello@1, one grain at once | FAILED: no time was left |", table);
        Assert.True(File.Exists(Path.Combine(folder["out"], "gpu-check.tar.gz")));
    }

    /// <summary>Without a GPU: what lut and the tests say here; nothing that needs one passes.</summary>
    [Fact]
    public void WithoutAGpuNothingPasses()
    {
        Assert.SkipWhen(Interop.CudaProbe.Query().Devices.Count > 0, "there is a GPU here");
        var (exit, output, table) = Check(
            """exec dotnet "$LUT_UNDER_TEST" "$@" """.Replace(
                "$LUT_UNDER_TEST",
                Path.Combine(AppContext.BaseDirectory, "lut.dll"),
                StringComparison.Ordinal
            ),
            "echo '  LUT_TEST_DEVICE asks for a GPU: no driver'; exit 2",
            60
        );
        string[] rows = [.. table.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(2)];
        Assert.True(exit == 1 && rows.Length >= 10, output);
        Assert.All(rows, r => Assert.Contains("| FAILED", r));
        Assert.Contains("(exit 5, see device-and-its-state.log): why: no libcuda", table);
    }

    [Fact]
    public void DoctorRefusesAMachineWithoutAGpu()
    {
        Assert.SkipWhen(Interop.CudaProbe.Query().Devices.Count > 0, "there is a GPU here");
        var r = Lut.Run("doctor", "--require", "gpu");
        Assert.True(
            r.Exit == 5 && r.LastLine.StartsWith("UNFIT: a GPU is required", StringComparison.Ordinal),
            r.Out + r.Error
        );
        r = Lut.Run("doctor", "--device", "cuda:emulated", "--registers");
        Assert.True(r.Exit == 0 && r.Out.Contains("gemm_nt_128x128"), r.Out + r.Error);
    }
}
