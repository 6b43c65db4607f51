using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Interop;

/// <summary>
/// A device's primary context, the one that cuBLAS and cuDNN use too, and everything made in it. Not for several
/// threads at once: the thread that works makes it current. Freed with everything that was made through it.
/// </summary>
public sealed unsafe class PrimaryContext : IDisposable
{
    private readonly List<IDisposable> owned = [];
    private nint handle;

    /// <param name="ordinal">From 0, in the driver's order.</param>
    /// <exception cref="CudaException">
    /// No driver that works, no such device, or one that cannot run the kernels.
    /// </exception>
    public PrimaryContext(ICudaDriver driver, int ordinal)
    {
        Driver = driver;
        DeviceName = FormattableString.Invariant($"cuda:{ordinal}");
        Check(driver.Init(0), "cuInit");
        Check(driver.DriverGetVersion(out int version), "cuDriverGetVersion");
        DriverVersion = version;
        Check(driver.DeviceGetCount(out int count), "cuDeviceGetCount");
        if (ordinal < 0 || ordinal >= count)
            throw new CudaException(
                CudaResult.InvalidDevice,
                "cuDeviceGet",
                FormattableString.Invariant($"index {ordinal} of {count} device(s)"),
                DeviceName
            );
        Check(driver.DeviceGet(out int device, ordinal), "cuDeviceGet");
        Device = device;
        byte* name = stackalloc byte[256];
        Check(driver.DeviceGetName(name, 256, device), "cuDeviceGetName");
        DeviceName += " " + Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
        if (Attribute(DeviceAttribute.ComputeCapabilityMajor) < 8)
            throw new CudaException(
                CudaResult.NoBinaryForGpu,
                "cuDeviceGetAttribute",
                FormattableString.Invariant(
                    $"compute capability {Attribute(DeviceAttribute.ComputeCapabilityMajor)}.{Attribute(DeviceAttribute.ComputeCapabilityMinor)}"
                ),
                DeviceName
            );
        Check(driver.DeviceTotalMem(out nuint bytes, device), "cuDeviceTotalMem");
        TotalBytes = (long)bytes;
        Check(driver.DevicePrimaryCtxRetain(out handle, device), "cuDevicePrimaryCtxRetain");
        MakeCurrent();
    }

    public ICudaDriver Driver { get; }
    public int Device { get; }

    /// <summary>"cuda:0 NVIDIA H200".</summary>
    public string DeviceName { get; }

    /// <summary>12080 is 12.8.</summary>
    public int DriverVersion { get; }
    public long TotalBytes { get; }

    public int Attribute(DeviceAttribute attribute)
    {
        Check(
            Driver.DeviceGetAttribute(out int value, attribute, Device),
            "cuDeviceGetAttribute",
            attribute.ToString()
        );
        return value;
    }

    /// <summary>Must be called by a thread before it uses what this context made.</summary>
    public void MakeCurrent() => Check(Driver.CtxSetCurrent(handle), "cuCtxSetCurrent");

    public (long Free, long Total) Memory()
    {
        Check(Driver.MemGetInfo(out nuint free, out nuint total), "cuMemGetInfo");
        return ((long)free, (long)total);
    }

    public CudaModule Load(string name, string ptx) => Own(new CudaModule(this, name, ptx));

    public CudaQueue CreateQueue() => Own(new CudaQueue(this));

    internal CudaStream CreateStream() => Own(new CudaStream(this));

    public CudaDeviceMemory Allocate(long bytes) => Own(new CudaDeviceMemory(this, bytes));

    public CudaHostMemory AllocateHost(long bytes) => Own(new CudaHostMemory(this, bytes));

    /// <summary>Throws for every code but success.</summary>
    internal void Check(int code, string call, string detail = "")
    {
        if (code != 0)
            throw new CudaException((CudaResult)code, call, detail, DeviceName);
    }

    internal T Own<T>(T made)
        where T : IDisposable
    {
        owned.Add(made);
        return made;
    }

    internal void Disown(IDisposable made) => owned.Remove(made);

    public void Dispose()
    {
        if (handle == 0)
            return;
        foreach (var o in Enumerable.Reverse([.. owned]))
            o.Dispose();
        Driver.DevicePrimaryCtxRelease(Device);
        handle = 0;
    }
}
