using System.Diagnostics;
using System.Globalization;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Recording;

/// <summary>
/// The state of this machine, which decides whether a time means anything: load, clocks, energy, temperature. What the
/// system does not tell is null, never 0. Linux's /proc and /sys; elsewhere most of it is null.
/// </summary>
internal static class MachineState
{
    private const double TicksPerSecond = 100; // USER_HZ of every Linux that .NET runs on

    internal static double? Load1() => FirstNumber("/proc/loadavg");

    /// <summary>Mean over the cores, MHz.</summary>
    internal static double? ClockMhz()
    {
        try
        {
            double[] mhz =
            [
                .. File.ReadLines("/proc/cpuinfo")
                    .Where(l => l.StartsWith("cpu MHz", StringComparison.Ordinal))
                    .Select(l =>
                        double.Parse(l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture)
                    ),
            ];
            return mhz.Length == 0 ? null : mhz.Average();
        }
        catch (Exception e) when (Files.Failed(e))
        {
            return null;
        }
    }

    internal static string? Governor() => FirstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");

    internal static double? MaxClockMhz() => FirstNumber("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") / 1e3;

    /// <summary>
    /// Of the processor's package by RAPL, joules; a counter that wraps. Null where the kernel does not show it (it
    /// needs rights since 2020).
    /// </summary>
    internal static double? EnergyJoules() => FirstNumber("/sys/class/powercap/intel-rapl:0/energy_uj") / 1e6;

    /// <summary>The hottest zone, degrees Celsius.</summary>
    internal static double? Temperature()
    {
        double[] zones = !Directory.Exists("/sys/class/thermal")
            ? []
            :
            [
                .. Directory
                    .GetDirectories("/sys/class/thermal", "thermal_zone*")
                    .Select(d => FirstNumber(Path.Combine(d, "temp")))
                    .OfType<double>(),
            ];
        return zones.Length == 0 ? null : zones.Max() / 1e3;
    }

    /// <summary>The process runs in a container, or null.</summary>
    internal static string? Container()
    {
        if (Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") is not null)
            return "kubernetes";
        if (File.Exists("/.dockerenv"))
            return "docker";
        return File.Exists("/run/.containerenv") ? "podman" : null;
    }

    /// <summary>
    /// Processor seconds: of the whole machine but idling (steal included: a neighbour took it), and of this process.
    /// </summary>
    internal readonly record struct Busy(double? Machine, double Own, long At)
    {
        internal static Busy Now()
        {
            using var self = Process.GetCurrentProcess();
            string[]? t = FirstLine("/proc/stat")?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            // user nice system idle iowait irq softirq steal
            double? busy = t is { Length: > 8 }
                ? new[] { 1, 2, 3, 6, 7, 8 }.Sum(i => double.Parse(t[i], CultureInfo.InvariantCulture)) / TicksPerSecond
                : null;
            return new Busy(busy, self.TotalProcessorTime.TotalSeconds, Stopwatch.GetTimestamp());
        }

        /// <summary>Cores that others kept busy since then.</summary>
        internal double? OthersSince(Busy before) =>
            Machine - before.Machine is { } all
                ? Math.Max(0, all - (Own - before.Own)) / Stopwatch.GetElapsedTime(before.At, At).TotalSeconds
                : null;
    }

    private static double? FirstNumber(string path) =>
        FirstLine(path)?.Split(' ')[0] is { } text
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double v)
            ? v
            : null;

    private static string? FirstLine(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadLines(path).FirstOrDefault()?.Trim() : null;
        }
        catch (Exception e) when (Files.Failed(e))
        {
            return null;
        }
    }
}
