using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>doctor: is this machine fit, and for what?</summary>
internal static class DoctorCommand
{
    private static readonly string[] Needs = ["exact", "perf", "gpu"];

    internal static Command Build()
    {
        var command = new Command(
            "doctor",
            "Is this machine fit, and for what: to keep the contract, to be timed, to use a GPU? Example: lut doctor --require exact,perf"
        );
        Option<string?> require = new("--require")
        {
            Description = "exact, perf, gpu (comma separated): exit 5 when the machine is not fit for it",
        };
        Option<bool> probe = new("--probe")
        {
            Description =
                "Six seconds of load: do clocks hold, who else computes, memory, disk (--require perf does it anyway)",
        };
        Option<bool> libraries = new("--libraries")
        {
            Description = "List the native libraries that are loaded, with SHA-256",
        };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        Option<bool> registers = new("--registers")
        {
            Description =
                "With --device cuda:0: what its driver made of every kernel: registers, bytes of local memory (spilled registers) and of shared memory",
        };
        Option<string> device = new("--device")
        {
            Description = "What to probe: cpu, cuda:0, ...",
            DefaultValueFactory = _ => "cpu",
        };
        foreach (Option o in new Option[] { require, probe, device, libraries, registers, json })
            command.Options.Add(o);
        command.SetAction(r =>
            (int)Execute(
                r.GetValue(require) ?? "",
                r.GetValue(probe),
                r.GetValue(device)!,
                r.GetValue(libraries),
                r.GetValue(registers),
                r.GetValue(json)
            )
        );
        return command;
    }

    private static Exit Execute(
        string require,
        bool probe,
        string deviceName,
        bool libraries,
        bool registers,
        bool json
    )
    {
        string[] needs = require.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string need in needs.Where(n => !Needs.Contains(n)))
            throw new LutError(
                Exit.Usage,
                47,
                $"{need} is not something doctor can require",
                "--require",
                "it knows " + string.Join(", ", Needs),
                $"did you mean {Nearest.To(need, Needs)}?"
            );
        string? broken = SelfTest.Failure();
        var cuda = CudaProbe.Query();
        var device = DeviceCatalog.Of(deviceName, "exact");
        if (registers && device is not CudaDevice)
            throw new LutError(
                Exit.Usage,
                490,
                "--registers is about a GPU's kernels",
                "--device " + deviceName,
                "the CPU runs none",
                "use --device cuda:0"
            );
        var kernels = registers
            ? [.. ((CudaDevice)device).AllKernels().Select(KernelUse.Of)]
            : Array.Empty<KernelUse>();
        var measured = probe || needs.Contains("perf") ? MachineProbe.Run(device, ".") : null;
        using var nvml = device is CudaDevice on ? Nvml.Open(on.Context, out _) : null;
        var gpu = nvml?.Read();
        var unfit = new List<string>();
        if (broken is not null)
            unfit.Add("contract: " + broken);
        if (needs.Contains("gpu") && cuda.Devices.Count == 0)
            unfit.Add("a GPU is required: " + cuda.Why);
        string[] slow = measured is null ? [] : [.. MachineProbe.Unfit(measured)];
        if (needs.Contains("perf"))
            unfit.AddRange(slow);
        var exit = unfit.Count == 0 ? Exit.Ok : Exit.Unfit;
        var loaded = libraries || json ? Libraries() : [];
        if (json)
        {
            Output.Json(
                new
                {
                    cpu = Machine.CpuModel,
                    isa = Machine.Isa,
                    device = device.Name,
                    hw_key = Machine.HardwareKey(device),
                    cores = Environment.ProcessorCount,
                    memory_bytes = Machine.RamBytes,
                    os = RuntimeInformation.OSDescription,
                    runtime = RuntimeInformation.FrameworkDescription,
                    container = MachineState.Container(),
                    governor = MachineState.Governor(),
                    load1 = MachineState.Load1(),
                    lut = LutVersion.Text,
                    contract = LutVersion.Contract,
                    exact = broken is null,
                    why = broken,
                    perf = measured is null ? (bool?)null : slow.Length == 0,
                    perf_why = slow,
                    gpus = cuda.Devices,
                    gpu_note = cuda.Why,
                    gpu_state = gpu,
                    probe = measured is null
                        ? null
                        : new
                        {
                            fma_flops = measured.FmaFlops,
                            held = measured.Held,
                            other_load = measured.OtherLoad,
                            clock_before_mhz = measured.ClockBefore,
                            clock_after_mhz = measured.ClockAfter,
                            memory_bytes_per_second = measured.MemoryBytesPerSecond,
                            disk_bytes_per_second = measured.DiskBytesPerSecond,
                            disk_free_bytes = measured.DiskFree,
                            slowdown = measured.Slowdown,
                        },
                    kernels,
                    libraries = loaded.Select(l => new { path = l.Path, sha256 = l.Sha256 }),
                    unfit,
                    exit = (int)exit,
                }
            );
            return exit;
        }
        static string F(double v, string f) => v.ToString(f, CultureInfo.InvariantCulture);
        List<string[]> rows =
        [
            ["cpu", Machine.CpuModel],
            ["vectors", Machine.Isa + ", device " + Cpu.Best().Name],
            ["cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)],
            ["memory", (Machine.RamBytes >> 20).ToString("n0", CultureInfo.InvariantCulture) + " MiB"],
            ["os", RuntimeInformation.OSDescription + (MachineState.Container() is { } c ? ", in " + c : "")],
            ["runtime", RuntimeInformation.FrameworkDescription],
            [
                "load",
                (MachineState.Load1() is { } load ? F(load, "f2") : "unknown")
                    + (
                        MachineState.Governor() is { } governor
                            ? ", clock governor " + governor
                            : ", clock governor not shown here"
                    ),
            ],
            ["lut", LutVersion.Text],
            [
                "contract",
                LutVersion.Contract
                    + ": "
                    + (broken ?? "self-test passed (fused multiply-add, subnormals, signed zero, Philox)"),
            ],
            ["gpu", cuda.Devices.Count > 0 ? string.Join(", ", cuda.Devices) : cuda.Why],
        ];
        if (gpu is not null)
            rows.Add([
                "gpu state",
                $"driver {gpu.DriverVersion ?? "unknown"}, {gpu.SmClockMhz?.ToString(CultureInfo.InvariantCulture) ?? "?"} of {gpu.MaxSmClockMhz?.ToString(CultureInfo.InvariantCulture) ?? "?"} MHz, {(gpu.PowerWatts is { } w ? F(w, "f0") + " W" : "power unknown")}, {gpu.TemperatureC?.ToString(CultureInfo.InvariantCulture) ?? "?"} degrees",
            ]);
        if (measured is not null)
        {
            rows.Add([
                "multiply-adds",
                $"{F(Performance.Median(measured.FmaFlops) / 1e9, "f0")} GFLOP/s, the slowest window {F(100 * measured.Held, "f0")} % of the median{(measured.ClockAfter is { } mhz ? $", {F(mhz, "f0")} MHz after" : "")}",
            ]);
            rows.Add(["other load", measured.OtherLoad is { } o ? F(o, "f2") + " cores" : "unknown"]);
            rows.Add(["memory speed", F(measured.MemoryBytesPerSecond / 1e9, "f1") + " GB/s copied"]);
            rows.Add([
                "disk here",
                measured.DiskBytesPerSecond is { } d
                    ? $"{F(d / 1e6, "f0")} MB/s written and flushed, {(measured.DiskFree >> 20)?.ToString("n0", CultureInfo.InvariantCulture)} MiB free"
                    : "not writable",
            ]);
            rows.Add(["to be timed", slow.Length == 0 ? "fit" : string.Join("; ", slow)]);
        }
        Output.Table(["what", "finding"], rows);
        if (registers)
            Output.Table(
                ["kernel", "registers", "local bytes", "shared bytes", "most threads"],
                kernels.Select(k =>
                    new[]
                    {
                        k.Name,
                        F(k.Registers, "f0"),
                        F(k.LocalBytes, "f0"),
                        F(k.SharedBytes, "f0"),
                        F(k.MostThreads, "f0"),
                    }
                )
            );
        if (libraries)
            Output.Table(["library", "SHA-256"], loaded.Select(l => new[] { l.Path, l.Sha256 }));
        Output.Line(
            unfit.Count == 0
                ? "FIT" + (needs.Length > 0 ? ": " + string.Join(", ", needs) : "")
                : "UNFIT: " + string.Join("; ", unfit)
        );
        return exit;
    }

    /// <summary>What a driver made of a kernel. Local bytes are registers that did not fit: slow, not wrong.</summary>
    private sealed record KernelUse(string Name, int Registers, int LocalBytes, int SharedBytes, int MostThreads)
    {
        internal static KernelUse Of(CudaKernel k) =>
            new(
                k.Name,
                k.Attribute(FunctionAttribute.NumRegs),
                k.Attribute(FunctionAttribute.LocalSizeBytes),
                k.Attribute(FunctionAttribute.SharedSizeBytes),
                k.Attribute(FunctionAttribute.MaxThreadsPerBlock)
            );
    }

    /// <summary>Native libraries in this process: what is loaded, not what is installed.</summary>
    private static IReadOnlyList<(string Path, string Sha256)> Libraries()
    {
        using var self = Process.GetCurrentProcess();
        return
        [
            .. self
                .Modules.Cast<ProcessModule>()
                .Select(m => m.FileName)
                .Where(f =>
                    f is not null
                    && (
                        f.Contains(".so", StringComparison.Ordinal)
                        || f.EndsWith(".dylib", StringComparison.Ordinal)
                        || (OperatingSystem.IsWindows() && f.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
                    )
                    && File.Exists(f)
                )
                .Distinct()
                .Order(StringComparer.Ordinal)
                .Select(f => (f!, RunStore.Sha256(f!))),
        ];
    }
}
