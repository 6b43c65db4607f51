using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>What this process runs on, for the hosts and env tables and for `lut doctor`.</summary>
public static class Machine
{
    public static string CpuModel { get; } = ReadCpu();

    public static string Isa =>
        Vector512.IsHardwareAccelerated ? "avx512"
        : Avx2.IsSupported ? "avx2"
        : Vector128.IsHardwareAccelerated ? "128-bit"
        : "scalar";

    public static long RamBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>
    /// What histories of speed are kept by: the processor or GPU that was found, never a runner's label.
    /// </summary>
    public static string HardwareKey(Device device) =>
        Key(
            device is CudaDevice cuda
                ? $"{cuda.Context.DeviceName} {cuda.Name.Split(':')[0]}"
                : FormattableString.Invariant($"{CpuModel} {Environment.ProcessorCount} cores {device.Name}")
        );

    /// <summary>Commit of the build: what stands behind the + of the version.</summary>
    public static string? GitSha { get; } = LutVersion.Text.Split('+') is [_, var sha] ? sha : null;

    public static string Trigger =>
        Environment.GetEnvironmentVariable("LUT_TRIGGER")
        ?? (
            Environment.GetEnvironmentVariable("SLURM_JOB_ID") is not null ? "slurm"
            : Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") is not null ? "k8s"
            : Environment.GetEnvironmentVariable("CI") is "true" or "1" ? "ci"
            : "manual"
        );

    private static readonly double? LoadBefore = MachineState.Load1();

    /// <summary>A name that can be a file's: letters, digits, dots and dashes.</summary>
    private static string Key(string text) =>
        string.Join(
            '-',
            new string([
                .. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : ' '),
            ]).Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );

    private static string Short(byte[] text) => Convert.ToHexStringLower(SHA256.HashData(text))[..16];

    public static DeviceRow DeviceRowOf(RunId run, Device device)
    {
        if (device is not CudaDevice cuda)
            return new DeviceRow
            {
                RunId = run,
                DeviceIndex = 0,
                Kind = "cpu",
                Name = CpuModel,
                Device = device.Name,
                Units = Environment.ProcessorCount,
                MemBytes = RamBytes,
                ComputeCapability = null,
                Driver = null,
                UuidHash = null,
                PowerLimitW = null,
                ClockMaxMhz = MachineState.MaxClockMhz(),
            };
        using var nvml = Nvml.Open(cuda.Context, out _);
        var reading = nvml?.Read();
        var c = cuda.Context;
        int major = c.Attribute(DeviceAttribute.ComputeCapabilityMajor);
        int minor = c.Attribute(DeviceAttribute.ComputeCapabilityMinor);
        return new DeviceRow
        {
            RunId = run,
            DeviceIndex = 0,
            Kind = device.Name == "cuda:emulated" ? "emulated" : "cuda",
            Name = c.DeviceName,
            Device = device.Name,
            Units = c.Attribute(DeviceAttribute.MultiprocessorCount),
            MemBytes = c.TotalBytes,
            ComputeCapability = FormattableString.Invariant($"{major}{minor}"),
            Driver = reading?.DriverVersion ?? c.DriverVersion.ToString(CultureInfo.InvariantCulture),
            UuidHash = Uuid(cuda) is { } uuid ? Short(uuid) : null,
            PowerLimitW = reading?.PowerLimitWatts,
            ClockMaxMhz = reading?.MaxSmClockMhz,
        };
    }

    private static unsafe byte[]? Uuid(CudaDevice cuda)
    {
        byte[] uuid = new byte[16];
        fixed (byte* p = uuid)
            return cuda.Context.Driver.DeviceGetUuid(p, cuda.Context.Device) == 0 ? uuid : null;
    }

    public static HostRow Host(RunId run) =>
        new()
        {
            RunId = run,
            Os = RuntimeInformation.OSDescription,
            Arch = RuntimeInformation.ProcessArchitecture.ToString(),
            CpuModel = CpuModel,
            CpuIsa = Isa,
            Cores = Environment.ProcessorCount,
            RamBytes = RamBytes,
            DotnetRuntime = RuntimeInformation.FrameworkDescription,
            GcMode = System.Runtime.GCSettings.IsServerGC ? "server" : "workstation",
            EnvVars = Encoding.UTF8.GetBytes(string.Join("\n", RecordedSettings.Settings())),
            HostHash = null, // names are few, so a name can be found from its hash
            Rid = RuntimeInformation.RuntimeIdentifier,
            Governor = MachineState.Governor(),
            Container = MachineState.Container() ?? "none seen",
            Load1Before = LoadBefore,
            Load1After = MachineState.Load1(),
        };

    public static IEnumerable<EnvRow> Assemblies(RunId run)
    {
        foreach (
            var a in AppDomain.CurrentDomain.GetAssemblies().OrderBy(a => a.GetName().Name, StringComparer.Ordinal)
        )
        {
            // the assembly version of a package often stays behind its release: the informational one does not
            string version =
                a.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
                ?? a.GetName().Version?.ToString()
                ?? "";
            string? sha = !a.IsDynamic && File.Exists(a.Location) ? RunStore.Sha256(a.Location) : null;
            yield return EnvRowOf(run, "assembly", a.GetName().Name ?? "", version, sha);
        }
    }

    /// <summary>The kernels inside of this program: whichever device ran, they say which would have.</summary>
    public static IEnumerable<EnvRow> Kernels(RunId run)
    {
        var model = typeof(CudaDevice).Assembly;
        foreach (
            string name in model
                .GetManifestResourceNames()
                .Where(n => n.EndsWith(".ptx", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        )
        {
            using var stream = model.GetManifestResourceStream(name)!;
            string sha = Convert.ToHexStringLower(SHA256.HashData(stream));
            yield return EnvRowOf(run, "kernel", name, LutVersion.Text, sha);
        }
    }

    /// <summary>NVIDIA's libraries that this process loaded, with the hash of the file behind each.</summary>
    public static IEnumerable<EnvRow> Libraries(RunId run)
    {
        foreach (var (name, path) in NativeLibraries.Loaded())
        {
            string? sha = File.Exists(path) ? RunStore.Sha256(path) : null;
            yield return EnvRowOf(run, "library", name, Path.GetFileName(path), sha);
        }
    }

    private static EnvRow EnvRowOf(RunId run, string kind, string name, string version, string? sha256) =>
        new()
        {
            RunId = run,
            Kind = kind,
            Name = name,
            Version = version,
            Sha256 = sha256,
        };

    private static string ReadCpu()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
                if (line.StartsWith("model name", StringComparison.Ordinal))
                    return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
        catch (IOException)
        {
            // not Linux, or no /proc: the architecture is all that is known
        }
        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
