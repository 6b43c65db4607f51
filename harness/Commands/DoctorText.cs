using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>`lut doctor` for people.</summary>
internal static class DoctorText
{
    internal static void Write(DoctorResult found)
    {
        Output.Table(["what", "finding"], [.. Machine(found), .. Gpu(found.GpuState), .. Measured(found)]);
        if (found.ShowKernels)
            Output.Table(
                ["kernel", "registers", "local bytes", "shared bytes", "most threads"],
                found.Kernels.Select(k =>
                    new[]
                    {
                        k.Name,
                        k.Registers.Text(),
                        k.LocalBytes.Text(),
                        k.SharedBytes.Text(),
                        k.MostThreads.Text(),
                    }
                )
            );
        if (found.ShowLibraries)
            Output.Table(["library", "SHA-256"], found.Libraries.Select(l => new[] { l.Path, l.Sha256 }));
        string needs = found.Needs.Count > 0 ? ": " + string.Join(", ", found.Needs) : "";
        Output.Line(found.Unfit.Count == 0 ? "FIT" + needs : "UNFIT: " + string.Join("; ", found.Unfit));
    }

    private static string[][] Machine(DoctorResult found)
    {
        string load = found.Load1 is { } one ? one.Text("f2") : "unknown";
        string governor = found.Governor is { } known ? "clock governor " + known : "clock governor not shown here";
        string contract = found.Why ?? "self-test passed (fused multiply-add, subnormals, signed zero, Philox)";
        return
        [
            ["cpu", found.Cpu],
            ["vectors", $"{found.Isa}, device {found.BestDevice}"],
            ["cores", found.Cores.Text()],
            ["memory", $"{(found.MemoryBytes >> 20).Text("n0")} MiB"],
            ["os", found.Os + (found.Container is { } c ? ", in " + c : "")],
            ["runtime", found.Runtime],
            ["load", $"{load}, {governor}"],
            ["lut", found.Lut],
            ["contract", $"{found.Contract}: {contract}"],
            ["gpu", found.Gpus.Count > 0 ? string.Join(", ", found.Gpus) : found.GpuNote],
        ];
    }

    private static IEnumerable<string[]> Gpu(GpuReading? gpu)
    {
        if (gpu is null)
            yield break;
        string clock = gpu.SmClockMhz?.Text() ?? "?";
        string most = gpu.MaxSmClockMhz?.Text() ?? "?";
        string power = gpu.PowerWatts is { } watts ? watts.Text("f0") + " W" : "power unknown";
        string degrees = gpu.TemperatureC?.Text() ?? "?";
        yield return
        [
            "gpu state",
            $"driver {gpu.DriverVersion ?? "unknown"}, {clock} of {most} MHz, {power}, {degrees} degrees",
        ];
    }

    private static IEnumerable<string[]> Measured(DoctorResult found)
    {
        if (found.Probe is not { } probe)
            yield break;
        string flops = (Performance.Median([.. probe.FmaFlops]) / 1e9).Text("f0");
        string after = probe.ClockAfterMhz is { } mhz ? $", {mhz.Text("f0")} MHz after" : "";
        yield return
        [
            "multiply-adds",
            $"{flops} GFLOP/s, the slowest window {(100 * probe.Held).Text("f0")} % of the median{after}",
        ];
        yield return ["other load", probe.OtherLoad is { } others ? others.Text("f2") + " cores" : "unknown"];
        yield return ["memory speed", $"{(probe.MemoryBytesPerSecond / 1e9).Text("f1")} GB/s copied"];
        yield return
        [
            "disk here",
            probe.DiskBytesPerSecond is { } disk
                ? $"{(disk / 1e6).Text("f0")} MB/s written and flushed, "
                    + $"{(probe.DiskFreeBytes >> 20).Text("n0")} MiB free"
                : "not writable",
        ];
        yield return ["to be timed", found.PerfWhy.Count == 0 ? "fit" : string.Join("; ", found.PerfWhy)];
    }
}
