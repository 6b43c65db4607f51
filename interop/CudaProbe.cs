using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Interop;

/// <summary>What the CUDA driver on this machine says about itself; nothing is initialised beyond cuInit.</summary>
/// <param name="Found">The driver library was found and answered.</param>
/// <param name="DriverVersion">As the driver encodes it: 12040 is 12.4.</param>
/// <param name="Devices">Names of the devices.</param>
/// <param name="Why">Why nothing was found, for people.</param>
public sealed record CudaStatus(bool Found, int DriverVersion, IReadOnlyList<string> Devices, string Why);

/// <summary>Looks for a CUDA driver by its usual names. Entry points and codes: CUDA driver API, cuda.h.</summary>
public static unsafe class CudaProbe
{
    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    public static CudaStatus Query()
    {
        foreach (string name in Names)
            if (NativeLibrary.TryLoad(name, out nint library)) return Ask(library, name);
        return new CudaStatus(false, 0, [], $"no CUDA driver library ({string.Join(", ", Names)}) on this machine");
    }

    private static CudaStatus Ask(nint library, string name)
    {
        if (!NativeLibrary.TryGetExport(library, "cuInit", out nint init) || !NativeLibrary.TryGetExport(library, "cuDriverGetVersion", out nint getVersion)
            || !NativeLibrary.TryGetExport(library, "cuDeviceGetCount", out nint getCount) || !NativeLibrary.TryGetExport(library, "cuDeviceGetName", out nint getName))
            return new CudaStatus(false, 0, [], $"{name} lacks the entry points of a CUDA driver");
        int code = ((delegate* unmanaged<uint, int>)init)(0);
        if (code != 0) return new CudaStatus(false, 0, [], $"cuInit returned {code}: the driver is installed and no usable device answers");
        int version = 0, count = 0;
        ((delegate* unmanaged<int*, int>)getVersion)(&version);
        ((delegate* unmanaged<int*, int>)getCount)(&count);
        var devices = new List<string>();
        byte* text = stackalloc byte[256];
        for (int d = 0; d < count; d++)
            if (((delegate* unmanaged<byte*, int, int, int>)getName)(text, 256, d) == 0)
                devices.Add(Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)));
        return new CudaStatus(true, version, devices, "");
    }
}
