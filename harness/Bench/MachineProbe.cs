using System.Diagnostics;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Bench;

/// <summary>What a machine does under load, measured and not read from its settings.</summary>
/// <param name="FmaFlops">Fused multiply-adds of all threads, FLOP/s, one value a window.</param>
/// <param name="OtherLoad">Cores that other processes kept busy meanwhile.</param>
/// <param name="MemoryBytesPerSecond">Of copies far larger than the caches, read and written bytes.</param>
/// <param name="DiskBytesPerSecond">Of a file written and flushed to the disk.</param>
/// <param name="Slowdown">What held a GPU's clocks down.</param>
internal sealed record Probe(
    double[] FmaFlops,
    double? OtherLoad,
    double? ClockBefore,
    double? ClockAfter,
    double MemoryBytesPerSecond,
    double? DiskBytesPerSecond,
    long? DiskFree,
    string[] Slowdown
)
{
    /// <summary>The slowest window beside the median: clocks that do not hold, or a neighbour.</summary>
    internal double Held => FmaFlops.Min() / Performance.Median(FmaFlops);
}

/// <summary>`lut doctor --probe`: a few seconds of load.</summary>
internal static class MachineProbe
{
    internal const double LeastHeld = 0.9;
    internal const long LeastDisk = 1L << 30;
    private const int Windows = 10;

    internal static Probe Run(Device device, string folder)
    {
        using var pool = device.NewPool(Environment.ProcessorCount);
        using var nvml = device is CudaDevice cuda ? Nvml.Open(cuda.Context, out _) : null;
        var busy = MachineState.Busy.Now();
        double? before = nvml is null ? MachineState.ClockMhz() : nvml.Read().SmClockMhz;
        double[] fma = [.. Enumerable.Range(0, Windows).Select(_ => device.FmaFlops(pool, 0.4))];
        var gpu = nvml?.Read();
        double? others = MachineState.Busy.Now().OthersSince(busy);
        double? after = nvml is null ? MachineState.ClockMhz() : gpu?.SmClockMhz;
        using var host = new Pool(Environment.ProcessorCount);
        var (written, free) = Disk(folder);
        return new Probe(fma, others, before, after, Memory(host), written, free, [.. gpu?.Slowdown ?? []]);
    }

    /// <summary>Why the machine's times would mean little; empty when it is fit.</summary>
    internal static IEnumerable<string> Unfit(Probe p)
    {
        if (p.OtherLoad > Results.Performance.MostOtherLoad)
            yield return FormattableString.Invariant(
                $"other processes keep {p.OtherLoad:f2} cores busy (more than {Results.Performance.MostOtherLoad})"
            );
        if (p.Held < LeastHeld)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"the slowest of {Windows} windows reaches {100 * p.Held:f0} % of the median (less than "
                    + $"{100 * LeastHeld:f0}): clocks do not hold, or a neighbour takes the cores"
            );
        if (p.Slowdown.Length > 0)
            yield return "clocks are held down by " + string.Join(", ", p.Slowdown);
        if (p.DiskFree < LeastDisk)
            yield return FormattableString.Invariant($"{p.DiskFree >> 20} MiB are free on the disk");
    }

    private static double Memory(Pool pool)
    {
        const int Floats = 16 << 20; // 64 MiB a side
        float[] from = new float[Floats];
        float[] to = new float[Floats];
        Array.Fill(from, 1f);
        double best = 0;
        for (int round = 0; round < 4; round++)
        {
            long begin = Stopwatch.GetTimestamp();
            pool.Run(
                pool.Workers,
                (w, _) =>
                    from.AsSpan(w * (Floats / pool.Workers), Floats / pool.Workers)
                        .CopyTo(to.AsSpan(w * (Floats / pool.Workers)))
            );
            best = Math.Max(best, 2.0 * sizeof(float) * Floats / Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }
        return best;
    }

    private static (double? Rate, long? Free) Disk(string folder)
    {
        string path = Path.Combine(folder, ".lut-probe-" + Guid.NewGuid().ToString("N"));
        try
        {
            byte[] block = new byte[1 << 20];
            long begin = Stopwatch.GetTimestamp();
            using (
                var file = new FileStream(
                    path,
                    FileMode.CreateNew,
                    FileAccess.Write,
                    FileShare.None,
                    4096,
                    FileOptions.DeleteOnClose
                )
            )
            {
                for (int i = 0; i < 64; i++)
                    file.Write(block);
                file.Flush(true);
                return (
                    64.0 * block.Length / Stopwatch.GetElapsedTime(begin).TotalSeconds,
                    new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace
                );
            }
        }
        catch (Exception e) when (Files.Failed(e))
        {
            return (null, null);
        }
    }
}
