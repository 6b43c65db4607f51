using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Interop;
using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Diagnosis;

namespace LutNative.Harness.Experiments;

/// <summary>The devices and the levels of math that a command line may name, and how each is made.</summary>
internal static class DeviceCatalog
{
    internal static Device Of(string name, string math)
    {
        CheckLevel(math);
        if (name.StartsWith("cuda", StringComparison.Ordinal))
            return CudaOf(name, math);
        if (math != "exact")
            throw new LutError(
                Exit.Usage,
                19,
                $"{math} is a GPU's",
                $"--math {math} --device {name}",
                "the CPU keeps the contract and has no other level",
                "use --device cuda:0 (or cuda:emulated), or --math exact"
            );
        return name switch
        {
            "cpu" => Cpu.Best(),
            "oracle" => new OracleDevice(),
            _ => Cpu.All().FirstOrDefault(d => d.Name == name)
                ?? throw NoDevice(name, $"known devices are {string.Join(", ", Names)}"),
        };
    }

    private static readonly string[] Names =
    [
        "cpu",
        "cpu-512",
        "cpu-256",
        "cpu-128",
        "oracle",
        "cuda:0",
        "cuda:emulated",
    ];

    private static readonly string[] Levels = ["exact", "run-to-run", "run-to-run-tf32"];

    private static void CheckLevel(string math)
    {
        if (!Levels.Contains(math))
            throw new LutError(
                Exit.Usage,
                18,
                $"there is no level of math {math}",
                "--math",
                $"the levels are {string.Join(", ", Levels)}",
                $"did you mean {Nearest.To(math, Levels)}?"
            );
    }

    private static CudaDataType Operands(string math) =>
        math == "run-to-run-tf32" ? CudaDataType.Float32 : CudaDataType.BFloat16;

    /// <summary>A device of the emulator, for cuda:emulated and for the planned ones that only count.</summary>
    internal static CudaDevice Emulated(EmulatedDriver driver, string name, string math)
    {
        CheckLevel(math);
        return math == "exact"
            ? new CudaDevice(driver, 0, name)
            : new RunToRunDevice(
                driver,
                new EmulatedCublasLt(driver),
                new EmulatedCudnn(driver),
                0,
                name,
                Operands(math)
            );
    }

    /// <summary>A device whose every operation can be looked at, for drills.</summary>
    /// <param name="named">As the command line names it.</param>
    internal static InstrumentedDevice Instrumented(Device on, string named) =>
        on.OnHost
            ? new InstrumentedDevice(on)
            : throw new LutError(
                Exit.Usage,
                33,
                "operations are watched on the CPU",
                "--device " + named,
                "--trace-step and --inject op=... look at every result where it lies",
                "use --device cpu: the bits are the same"
            );

    private static CudaDevice CudaOf(string name, string math)
    {
        try
        {
            if (name == "cuda:emulated")
                return Emulated(EmulatedDriver.FromEnvironment(), name, math);
            if (name == "cuda")
                name = "cuda:0";
            if (
                name.Length > 5
                && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal)
            )
            {
                var driver = new NvidiaDriver();
                return math == "exact"
                    ? new CudaDevice(driver, ordinal, name)
                    : new RunToRunDevice(
                        driver,
                        Library(() => new NvidiaCublasLt()),
                        Library(() => new NvidiaCudnn()),
                        ordinal,
                        name,
                        Operands(math)
                    );
            }
        }
        catch (DllNotFoundException e)
        {
            throw new LutError(
                Exit.Unfit,
                10,
                "there is no CUDA driver",
                "--device " + name,
                e.Message,
                $"install NVIDIA's driver, name its folder in {NativeLibraries.Variable}, or use --device cuda:emulated or cpu: the bits are the same"
            );
        }
        catch (Exception e) when (e is CudaException or CudaLibraryException)
        {
            throw new LutError(
                Exit.Unfit,
                11,
                "the CUDA device cannot be used",
                "--device " + name,
                e.Message,
                "use --device cpu meanwhile: the bits are the same"
            );
        }
        throw NoDevice(name, "CUDA devices are cuda:0, cuda:1, ... and cuda:emulated");
    }

    private static LutError NoDevice(string name, string known) =>
        new(
            Exit.Usage,
            12,
            $"there is no device {name}",
            "--device",
            known,
            $"did you mean {Nearest.To(name, Names)}?"
        );

    private static T Library<T>(Func<T> load)
    {
        try
        {
            return load();
        }
        catch (DllNotFoundException e)
        {
            throw new LutError(
                Exit.Unfit,
                14,
                "--math run-to-run lacks a library",
                "--math run-to-run",
                e.Message,
                $"name the folders of cuBLAS and cuDNN 9 in {NativeLibraries.Variable} (a PyTorch installation has both, under nvidia/), or use --math exact, which needs neither"
            );
        }
    }
}
