using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// --device cuda: what a user meets where there is no GPU, a wrong one, or one that fails. The bits of the kernels are
/// DeterminismTests' and OpTests'.
/// </summary>
public sealed class CudaTests
{
    [Fact]
    public void ARunGoesOnFromTheEmulatorToTheCpu()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(
            75,
            Lut.Run(
                "run",
                "hello@1",
                "-q",
                "-o",
                folder.Path,
                "--device",
                "cuda:emulated",
                "--stop-after",
                "5",
                "--micro-batch",
                "4"
            ).Exit
        );
        var r = Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--resume", "auto");
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
    }

    [Fact]
    public void ALostDeviceLeavesACheckpointToGoOnFrom()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(
            75,
            Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated", "--stop-after", "3").Exit
        );
        var r = Lut.RunWith(
            new() { ["LUT_EMULATOR_LOST_AFTER"] = "2000" },
            "run",
            "hello@1",
            "-q",
            "-o",
            folder.Path,
            "--device",
            "cuda:emulated",
            "--resume",
            "auto"
        );
        Assert.Equal(5, r.Exit);
        Assert.Contains("LUT5012", r.Error);
        Assert.Contains("EccUncorrectable", r.Error);
        Assert.Contains("checkpoint is intact", r.Error);
        r = Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--resume", "auto");
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
    }

    [Fact]
    public void TooLittleMemoryNamesTheNeedAndWhatWouldFit()
    {
        using var folder = new TemporaryFolder();
        var r = Lut.RunWith(
            new() { ["LUT_EMULATOR_MIB"] = "16" },
            "run",
            "hello@1",
            "-q",
            "-o",
            folder.Path,
            "--device",
            "cuda:emulated",
            "--micro-batch",
            "64"
        );
        Assert.Equal(5, r.Exit);
        Assert.Contains("LUT5013", r.Error);
        Assert.Contains("16 MiB", r.Error);
        Assert.Contains("predicted to need", r.Error);
        string[] settings = r.Error[
                r.Error.LastIndexOf("--micro-batch", StringComparison.Ordinal)..r.Error.IndexOf(
                    " should fit",
                    StringComparison.Ordinal
                )
            ]
            .Split(' ');
        r = Lut.RunWith(
            new() { ["LUT_EMULATOR_MIB"] = "16" },
            ["run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated", .. settings]
        );
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
        // who does not say how many samples run at once gets as many as fit
        r = Lut.RunWith(
            new() { ["LUT_EMULATOR_MIB"] = "16" },
            "run",
            "hello@1",
            "-q",
            "-o",
            folder.Path,
            "--device",
            "cuda:emulated"
        );
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
    }

    /// <summary>
    /// --math run-to-run repeats its own bits, is never compared with exact ones, and its pre-training losses stay
    /// within 2 % of the exact run's, step by step (bfloat16 operands have 8 bits of mantissa: 0.4 % each; seen: below
    /// 0.5 %).
    /// </summary>
    [Fact]
    public void RunToRunRepeatsItselfAndFollowsTheExactRun()
    {
        using var folder = new TemporaryFolder();
        string Run(string name, string device, string math)
        {
            string root = Path.Combine(folder.Path, name);
            var r = Lut.Run("pretrain", "hello@1", "-q", "-o", root, "--device", device, "--math", math);
            Assert.True(r.Exit == 0, r.Out + r.Error);
            return Directory.GetDirectories(root).Single();
        }
        string a = Run("a", "cuda:emulated", "run-to-run");
        string b = Run("b", "cuda:emulated", "run-to-run");
        string exact = Run("exact", "cpu", "exact"); // the emulator's exact bits are the same: DeterminismTests
        string tf32 = Run("tf32", "cuda:emulated", "run-to-run-tf32");
        Assert.Contains("IDENTICAL", Lut.Run("compare", a, b).LastLine);
        Assert.Equal(4, Lut.Run("compare", a, exact).Exit);
        Assert.Equal(4, Lut.Run("compare", a, tf32).Exit);
        var x = new RunStore(exact).Read(Schema.Steps).Rows;
        foreach (var (path, bound) in new[] { (a, 0.02), (tf32, 0.002) })
        {
            var y = new RunStore(path).Read(Schema.Steps).Rows;
            Assert.Equal(x.Count, y.Count);
            for (int s = 0; s < x.Count; s++)
            {
                float e = x[s].Loss;
                float l = y[s].Loss;
                Assert.True(
                    Math.Abs(l - e) <= bound * e && BitConverter.SingleToUInt32Bits(l) != 0,
                    $"{path}: step {s} has loss {l}, the exact one is {e}"
                );
            }
        }
        var run = new RunStore(a).Read(Schema.Run).Rows[0];
        Assert.Equal("hello@1+run-to-run", run.Protocol);
        Assert.StartsWith("run-to-run bf16 on PTX emulator, cublasLt", run.Contract);
        Assert.Equal("bitwise-same-device-and-libraries", run.DeterminismLevel);
    }

    [Theory]
    [InlineData("run-to-run", "cpu", 2, "LUT2019")]
    [InlineData("exakt", "cuda:emulated", 2, "did you mean exact?")]
    public void ALevelOfMathThatIsNotThereIsAnswered(string math, string device, int exit, string says)
    {
        var r = Lut.Run("run", "hello@1", "-q", "--device", device, "--math", math);
        Assert.Equal(exit, r.Exit);
        Assert.Contains(says, r.Error);
    }

    /// <summary>
    /// The table of a step's kernels, for a GPU that is not here: its products are those of the network, as counted
    /// from its shapes.
    /// </summary>
    [Theory]
    [InlineData("exact", 75.0, 80.0)] // 77.8 G multiply-adds an image by the method's own count; the first layer needs no input gradient
    [InlineData("run-to-run", 73.0, 77.0)] // without attention's own products, which its kernel makes again
    public void AStepsKernelsAreToldForAGpuThatIsNotHere(string math, double least, double most)
    {
        var r = Lut.Run(
            "bench",
            "vitb16",
            "--batch",
            "32",
            "--kernels",
            "--device",
            "planned:h200",
            "--math",
            math,
            "--json"
        );
        Assert.True(r.Exit == 0, r.Error);
        using var json = System.Text.Json.JsonDocument.Parse(r.Out);
        double flops =
            json.RootElement.GetProperty("kernels")
                .EnumerateArray()
                .Where(k => !k.GetProperty("name").GetString()!.Contains("attention"))
                .Sum(k => k.GetProperty("flops").GetDouble()) / 32e9;
        Assert.InRange(flops, 2 * least, 2 * most);
        Assert.True(json.RootElement.GetProperty("floor_ms").GetDouble() > 0);
    }

    [Fact]
    public void WithoutADriverTheErrorSaysWhereItWasLookedFor()
    {
        Assert.SkipWhen(
            System.Runtime.InteropServices.NativeLibrary.TryLoad(
                OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1",
                out _
            ),
            "this machine has a CUDA driver"
        );
        var r = Lut.Run("run", "hello@1", "-q", "--device", "cuda:0");
        Assert.Equal(5, r.Exit);
        Assert.Contains("LUT5010", r.Error);
        Assert.Contains(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", r.Error);
        Assert.Contains("cuda:emulated", r.Error);
    }

    [Fact]
    public void ALibraryThatIsNoDriverIsNamedWithWhatItLacks()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && File.Exists("/lib/x86_64-linux-gnu/libm.so.6"),
            "needs a library to stand in for the driver"
        );
        using var folder = new TemporaryFolder();
        File.Copy("/lib/x86_64-linux-gnu/libm.so.6", Path.Combine(folder.Path, "libcuda.so.1"));
        var r = Lut.RunWith(
            new() { ["LUT_CUDA_LIBRARIES"] = folder.Path },
            "run",
            "hello@1",
            "-q",
            "--device",
            "cuda:0"
        );
        Assert.Equal(5, r.Exit);
        Assert.Contains("has no cuInit", r.Error);
        Assert.Contains(folder.Path, r.Error);
    }

    [Fact]
    public void AFolderThatDoesNotExistIsNamed()
    {
        var r = Lut.RunWith(
            new() { ["LUT_CUDA_LIBRARIES"] = "/nowhere" },
            "run",
            "hello@1",
            "-q",
            "--device",
            "cuda:0"
        );
        Assert.Equal(5, r.Exit);
        Assert.Contains("/nowhere", r.Error);
    }

    [Theory]
    [InlineData("cuda:x")]
    [InlineData("cuda:")]
    [InlineData("cudaemulated")]
    public void AWrongNameIsAnswered(string name)
    {
        var r = Lut.Run("run", "hello@1", "-q", "--device", name);
        Assert.Equal(2, r.Exit);
        Assert.Contains("cuda:emulated", r.Error);
    }
}
