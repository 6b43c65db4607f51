using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text;
using LutNative.Interop;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>What this process runs on, for the hosts and env tables and for `lut doctor`.</summary>
public static class Machine
{
    public static string CpuModel { get; } = ReadCpu();

    public static string Isa =>
        Vector512.IsHardwareAccelerated ? "avx512" : Avx2.IsSupported ? "avx2" : Vector128.IsHardwareAccelerated ? "128-bit" : "scalar";

    public static long RamBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    public static void AddHost(Table hosts, string runId)
    {
        var env = Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(k => k.StartsWith("DOTNET_", StringComparison.Ordinal) || k.StartsWith("LC_", StringComparison.Ordinal) || k == "LANG")
            .Order(StringComparer.Ordinal).Select(k => $"{k}={Environment.GetEnvironmentVariable(k)}");
        hosts.Add(runId, RuntimeInformation.OSDescription, RuntimeInformation.ProcessArchitecture.ToString(), CpuModel, Isa, Environment.ProcessorCount, RamBytes,
            RuntimeInformation.FrameworkDescription, System.Runtime.GCSettings.IsServerGC ? "server" : "workstation", Encoding.UTF8.GetBytes(string.Join("\n", env)));
    }

    public static void AddAssemblies(Table env, string runId)
    {
        foreach (var a in AppDomain.CurrentDomain.GetAssemblies().OrderBy(a => a.GetName().Name, StringComparer.Ordinal))
        {
            // the assembly version of a package often stays behind its release: the informational one does not
            string version = a.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? a.GetName().Version?.ToString() ?? "";
            string? sha = !a.IsDynamic && File.Exists(a.Location) ? RunStore.Sha256(a.Location) : null;
            env.Add(runId, "assembly", a.GetName().Name ?? "", version, sha);
        }
    }

    /// <summary>NVIDIA's libraries that this process loaded, with the hash of the file behind each.</summary>
    public static void AddLibraries(Table env, string runId)
    {
        foreach (var (name, path) in NativeLibraries.Loaded()) env.Add(runId, "library", name, path, File.Exists(path) ? RunStore.Sha256(path) : null);
    }

    private static string ReadCpu()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
                if (line.StartsWith("model name", StringComparison.Ordinal)) return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
        catch (IOException)
        {
            // not Linux, or no /proc: the architecture is all that is known
        }
        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
