namespace LutNative.Harness.Tests.Cli;

/// <summary>--device cuda: what a user meets where there is no GPU, a wrong one, or one that fails. The bits of the kernels are DeterminismTests' and OpTests'.</summary>
public sealed class CudaTests
{
    [Fact]
    public void ARunGoesOnFromTheEmulatorToTheCpu()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(75, Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated", "--stop-after", "5", "--micro-batch", "4").Exit);
        var r = Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--resume", "auto");
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
    }

    [Fact]
    public void ALostDeviceLeavesACheckpointToGoOnFrom()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(75, Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated", "--stop-after", "3").Exit);
        var r = Lut.RunWith(new() { ["LUT_EMULATOR_LOST_AFTER"] = "2000" }, "run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated", "--resume", "auto");
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
        var r = Lut.RunWith(new() { ["LUT_EMULATOR_MIB"] = "14" }, "run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated");
        Assert.Equal(5, r.Exit);
        Assert.Contains("LUT5013", r.Error);
        Assert.Contains("14 MiB", r.Error);
        Assert.Contains("predicted to need", r.Error);
        string[] settings = r.Error[r.Error.LastIndexOf("--micro-batch", StringComparison.Ordinal)..r.Error.IndexOf(" should fit", StringComparison.Ordinal)].Split(' ');
        r = Lut.RunWith(new() { ["LUT_EMULATOR_MIB"] = "14" }, ["run", "hello@1", "-q", "-o", folder.Path, "--device", "cuda:emulated", .. settings]);
        Assert.True(r.Exit == 0 && r.LastLine.Contains("IDENTICAL"), r.Out + r.Error);
    }

    [Fact]
    public void WithoutADriverTheErrorSaysWhereItWasLookedFor()
    {
        Assert.SkipWhen(System.Runtime.InteropServices.NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out _), "this machine has a CUDA driver");
        var r = Lut.Run("run", "hello@1", "-q", "--device", "cuda:0");
        Assert.Equal(5, r.Exit);
        Assert.Contains("LUT5010", r.Error);
        Assert.Contains(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", r.Error);
        Assert.Contains("cuda:emulated", r.Error);
    }

    [Fact]
    public void ALibraryThatIsNoDriverIsNamedWithWhatItLacks()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/lib/x86_64-linux-gnu/libm.so.6"), "needs a library to stand in for the driver");
        using var folder = new TemporaryFolder();
        File.Copy("/lib/x86_64-linux-gnu/libm.so.6", Path.Combine(folder.Path, "libcuda.so.1"));
        var r = Lut.RunWith(new() { ["LUT_CUDA_LIBRARIES"] = folder.Path }, "run", "hello@1", "-q", "--device", "cuda:0");
        Assert.Equal(5, r.Exit);
        Assert.Contains("has no cuInit", r.Error);
        Assert.Contains(folder.Path, r.Error);
    }

    [Fact]
    public void AFolderThatDoesNotExistIsNamed()
    {
        var r = Lut.RunWith(new() { ["LUT_CUDA_LIBRARIES"] = "/nowhere" }, "run", "hello@1", "-q", "--device", "cuda:0");
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
