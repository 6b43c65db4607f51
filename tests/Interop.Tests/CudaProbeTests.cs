namespace LutNative.Interop.Tests;

public class CudaProbeTests
{
    [Fact]
    public void TheProbeAnswersWithOrWithoutADriver()
    {
        var status = CudaProbe.Query();
        if (status.Found)
            Assert.True(status.DriverVersion >= 11000, $"driver {status.DriverVersion}");
        else
        {
            Assert.NotEmpty(status.Why);
            Assert.Empty(status.Devices);
        }
    }

    /// <summary>
    /// Libraries for --math run-to-run: where one is missing, the error names every file that was tried.
    /// </summary>
    [Fact]
    public void AMissingLibraryIsNamed()
    {
        if (!NativeLibraries.TryLoad("cublasLt", out _, out _))
            Assert.Contains(
                NativeLibraries.Names("cublasLt")[^1],
                Assert.Throws<DllNotFoundException>(() => new NvidiaCublasLt()).Message
            );
        if (!NativeLibraries.TryLoad("cudnn", out _, out _))
            Assert.Contains(
                NativeLibraries.Names("cudnn")[0],
                Assert.Throws<DllNotFoundException>(() => new NvidiaCudnn()).Message
            );
        Assert.All(
            NvidiaCublasLt.EntryPoints.Concat(NvidiaCudnn.EntryPoints),
            name => Assert.Matches("^(cublasLt|cudnn)[A-Z]", name)
        );
    }
}
