using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Interop;

/// <summary>
/// What NVML says of a GPU at one moment. A value that the device, the driver or the user's rights do not give is null,
/// never 0.
/// </summary>
/// <param name="EnergyJoules">Since the driver was loaded: differences count.</param>
/// <param name="Slowdown">
/// Why clocks are held down, beyond idling and application clocks; empty when nothing does.
/// </param>
public sealed record GpuReading(
    string? DriverVersion,
    uint? SmClockMhz,
    uint? MaxSmClockMhz,
    double? PowerWatts,
    double? PowerLimitWatts,
    double? EnergyJoules,
    uint? TemperatureC,
    IReadOnlyList<string>? Slowdown
);

/// <summary>
/// NVIDIA's management library, for what the driver API does not tell: power, energy, clocks, temperature. Calls are
/// looked up one by one, so an old library lacks a value and not the whole. Source: nvml.h of CUDA 12 and 13.
/// </summary>
public sealed unsafe class Nvml : IDisposable
{
    private const string Library = "nvml";
    private const int SmClock = 1;
    private const int TemperatureSensor = 0;

    // nvmlClocksEventReason*: the ones that make a measurement unfit
    private static readonly (ulong Bit, string Name)[] Reasons =
    [
        (4, "power cap"),
        (8, "hardware slowdown"),
        (0x20, "software thermal"),
        (0x40, "hardware thermal"),
        (0x80, "power brake"),
    ];

    private readonly nint device;

    private Nvml(nint device) => this.device = device;

    /// <summary>
    /// The GPU of a context, matched by its UUID: NVML's order is not the driver's. Null, and why, where NVML does not
    /// answer.
    /// </summary>
    public static Nvml? Open(PrimaryContext context, out string why)
    {
        byte* uuid = stackalloc byte[16];
        if (context.Driver.DeviceGetUuid(uuid, context.Device) != 0 || context.Driver is not NvidiaDriver)
        {
            why = "not a GPU of NVIDIA's driver";
            return null;
        }
        if (!NativeLibraries.TryLoad(Library, out _, out why))
            return null;
        nint initialise = NativeLibraries.Export(Library, "nvmlInit_v2");
        nint find = NativeLibraries.Export(Library, "nvmlDeviceGetHandleByUUID");
        int code = initialise == 0 || find == 0 ? 13 : ((delegate* unmanaged<int>)initialise)();
        nint device = 0;
        if (code == 0)
            fixed (byte* name = Encoding.ASCII.GetBytes(NameOf(new ReadOnlySpan<byte>(uuid, 16)) + "\0"))
                code = ((delegate* unmanaged<byte*, nint*, int>)find)(name, &device);
        why = code == 0 ? "" : $"NVML answers {code}";
        return code == 0 ? new Nvml(device) : null;
    }

    /// <summary>"GPU-" and the 16 bytes in groups of 4, 2, 2, 2 and 6.</summary>
    public static string NameOf(ReadOnlySpan<byte> uuid)
    {
        string hex = Convert.ToHexStringLower(uuid);
        return $"GPU-{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
    }

    public GpuReading Read()
    {
        ulong? reasons =
            Long("nvmlDeviceGetCurrentClocksEventReasons") ?? Long("nvmlDeviceGetCurrentClocksThrottleReasons");
        return new GpuReading(
            Version(),
            Int("nvmlDeviceGetClockInfo", SmClock),
            Int("nvmlDeviceGetMaxClockInfo", SmClock),
            Int("nvmlDeviceGetPowerUsage") / 1e3,
            Int("nvmlDeviceGetEnforcedPowerLimit") / 1e3,
            Long("nvmlDeviceGetTotalEnergyConsumption") / 1e3,
            Int("nvmlDeviceGetTemperature", TemperatureSensor),
            reasons is { } r ? [.. Reasons.Where(x => (r & x.Bit) != 0).Select(x => x.Name)] : null
        );
    }

    private static string? Version()
    {
        nint call = NativeLibraries.Export(Library, "nvmlSystemGetDriverVersion");
        byte* text = stackalloc byte[80];
        return call != 0 && ((delegate* unmanaged<byte*, uint, int>)call)(text, 80) == 0
            ? Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text))
            : null;
    }

    private uint? Int(string name)
    {
        nint call = NativeLibraries.Export(Library, name);
        uint value;
        return call != 0 && ((delegate* unmanaged<nint, uint*, int>)call)(device, &value) == 0 ? value : null;
    }

    private uint? Int(string name, int which)
    {
        nint call = NativeLibraries.Export(Library, name);
        uint value;
        return call != 0 && ((delegate* unmanaged<nint, int, uint*, int>)call)(device, which, &value) == 0
            ? value
            : null;
    }

    private ulong? Long(string name)
    {
        nint call = NativeLibraries.Export(Library, name);
        ulong value;
        return call != 0 && ((delegate* unmanaged<nint, ulong*, int>)call)(device, &value) == 0 ? value : null;
    }

    public void Dispose()
    {
        if (NativeLibraries.Export(Library, "nvmlShutdown") is var call and not 0)
            ((delegate* unmanaged<int>)call)();
    }
}
