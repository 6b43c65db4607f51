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
            throw UsageErrors.MathNeedsGpu(math, name);
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
            throw UsageErrors.NoMathLevel(math, Levels);
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
        on.OnHost ? new InstrumentedDevice(on) : throw UsageErrors.WatchedOnCpu(named);

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
            throw UnfitErrors.NoCudaDriver(name, e.Message, NativeLibraries.Variable);
        }
        catch (Exception e) when (e is CudaException or CudaLibraryException)
        {
            throw UnfitErrors.CannotUseCuda(name, e.Message);
        }
        throw NoDevice(name, "CUDA devices are cuda:0, cuda:1, ... and cuda:emulated");
    }

    private static LutError NoDevice(string name, string known) => UsageErrors.NoDevice(name, known, Names);

    private static T Library<T>(Func<T> load)
    {
        try
        {
            return load();
        }
        catch (DllNotFoundException e)
        {
            throw UnfitErrors.NoRunToRunLibrary(e.Message, NativeLibraries.Variable);
        }
    }
}
