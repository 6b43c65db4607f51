using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Interop;

/// <summary>What the CUDA driver on this machine says about itself; nothing is initialised beyond cuInit.</summary>
/// <param name="Found">The driver library was found and answered.</param>
/// <param name="DriverVersion">As the driver encodes it: 12040 is 12.4.</param>
/// <param name="Devices">Names of the devices.</param>
/// <param name="Why">Why nothing was found, for people.</param>
public sealed record CudaStatus(bool Found, int DriverVersion, IReadOnlyList<string> Devices, string Why);

/// <summary>Asks the driver that <see cref="NvidiaDriver"/> would use for its version and devices.</summary>
public static unsafe class CudaProbe
{
    public static CudaStatus Query()
    {
        NvidiaDriver driver;
        try
        {
            driver = new NvidiaDriver();
        }
        catch (DllNotFoundException e)
        {
            return new CudaStatus(false, 0, [], e.Message);
        }
        int code = driver.Init(0);
        if (code != 0)
            return new CudaStatus(
                false,
                0,
                [],
                $"cuInit returned {code}: the driver is installed and no usable device answers"
            );
        driver.DriverGetVersion(out int version);
        driver.DeviceGetCount(out int count);
        var devices = new List<string>();
        byte* text = stackalloc byte[256];
        for (int d = 0; d < count; d++)
            if (driver.DeviceGetName(text, 256, d) == 0)
                devices.Add(Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)));
        return new CudaStatus(true, version, devices, "");
    }
}
