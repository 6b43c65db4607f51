using System.CommandLine;
using System.Diagnostics;
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
            "Is this machine fit, and for what: to keep the contract, to be timed, to use a GPU? Example: lut "
                + "doctor --require exact,perf"
        );
        var require = command.Option<string?>(
            "--require",
            "exact, perf, gpu (comma separated): exit 5 when the machine is not fit for it"
        );
        var probe = command.Flag(
            "--probe",
            "Six seconds of load: do clocks hold, who else computes, memory, disk (--require perf does it anyway)"
        );
        var device = command.Device("What to probe: cpu, cuda:0, ...");
        var libraries = command.Flag("--libraries", "List the native libraries that are loaded, with SHA-256");
        var registers = command.Flag(
            "--registers",
            "With --device cuda:0: what its driver made of every kernel: registers, bytes of local memory "
                + "(spilled registers) and of shared memory"
        );
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(
                Examine(
                    NeedsOf(r.GetValue(require) ?? ""),
                    r.GetValue(probe),
                    r.GetValue(device)!,
                    libraries: r.GetValue(libraries),
                    loaded: r.GetValue(libraries) || r.GetValue(json),
                    registers: r.GetValue(registers)
                ),
                r.GetValue(json),
                DoctorText.Write
            )
        );
        return command;
    }

    private static string[] NeedsOf(string require)
    {
        string[] needs = require.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string need in needs.Where(n => !Needs.Contains(n)))
            throw UsageErrors.NoRequirement(need, Needs);
        return needs;
    }

    /// <param name="libraries">The text lists them.</param>
    /// <param name="loaded">They are looked for: hashing them takes time.</param>
    private static DoctorResult Examine(
        string[] needs,
        bool probe,
        string deviceName,
        bool libraries,
        bool loaded,
        bool registers
    )
    {
        string? broken = SelfTest.Failure();
        var cuda = CudaProbe.Query();
        var device = DeviceCatalog.Of(deviceName, "exact");
        if (registers && device is not CudaDevice)
            throw UsageErrors.RegistersNeedGpu(deviceName);
        KernelUse[] kernels = registers ? [.. ((CudaDevice)device).AllKernels().Select(KernelUse.Of)] : [];
        var measured = probe || needs.Contains("perf") ? MachineProbe.Run(device, ".") : null;
        using var nvml = device is CudaDevice on ? Nvml.Open(on.Context, out _) : null;
        var gpu = nvml?.Read();
        string[] slow = measured is null ? [] : [.. MachineProbe.Unfit(measured)];
        var unfit = new List<string>();
        if (broken is not null)
            unfit.Add("contract: " + broken);
        if (needs.Contains("gpu") && cuda.Devices.Count == 0)
            unfit.Add("a GPU is required: " + cuda.Why);
        if (needs.Contains("perf"))
            unfit.AddRange(slow);
        return new DoctorResult(
            Machine.CpuModel,
            Machine.Isa,
            device.Name,
            Machine.HardwareKey(device),
            Environment.ProcessorCount,
            Machine.RamBytes,
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
            MachineState.Container(),
            MachineState.Governor(),
            MachineState.Load1(),
            LutVersion.Text,
            LutVersion.Contract,
            Exact: broken is null,
            broken,
            measured is null ? null : slow.Length == 0,
            slow,
            cuda.Devices,
            cuda.Why,
            gpu,
            measured is null ? null : ProbeResult.Of(measured),
            kernels,
            loaded ? Libraries() : [],
            unfit,
            unfit.Count == 0 ? Exit.Ok : Exit.Unfit
        )
        {
            Needs = needs,
            BestDevice = Cpu.Best().Name,
            ShowKernels = registers,
            ShowLibraries = libraries,
        };
    }

    /// <summary>Native libraries in this process: what is loaded, not what is installed.</summary>
    private static IReadOnlyList<LoadedLibrary> Libraries()
    {
        using var self = Process.GetCurrentProcess();
        return
        [
            .. self
                .Modules.Cast<ProcessModule>()
                .Select(m => m.FileName)
                .OfType<string>()
                .Where(f => IsNative(f) && File.Exists(f))
                .Distinct()
                .Order(StringComparer.Ordinal)
                .Select(f => new LoadedLibrary(f, RunStore.Sha256(f))),
        ];
    }

    private static bool IsNative(string file) =>
        file.Contains(".so", StringComparison.Ordinal)
        || file.EndsWith(".dylib", StringComparison.Ordinal)
        || (OperatingSystem.IsWindows() && file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase));
}
