using LutNative.Interop;

namespace LutNative.Interop.Tests;

public class CudaProbeTests
{
    [Fact]
    public void TheProbeAnswersWithOrWithoutADriver()
    {
        var status = CudaProbe.Query();
        if (status.Found) Assert.True(status.DriverVersion >= 11000, $"driver {status.DriverVersion}");
        else
        {
            Assert.NotEmpty(status.Why);
            Assert.Empty(status.Devices);
        }
    }
}
