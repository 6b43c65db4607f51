using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Interop;
using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Diagnosis;

namespace LutNative.Harness.Commands;

/// <summary>The options that every verb which computes has.</summary>
internal sealed class RunOptions
{
    private readonly Argument<string> protocol = new("protocol")
    {
        Description = "A built-in protocol (see `lut ls`) or a .toml file",
    };
    private readonly Option<string[]> set = new("--set")
    {
        Description = "section.key=value: change a value of the protocol; the run is then marked +modified",
        AllowMultipleArgumentsPerToken = false,
    };
    private readonly Option<int> seed = Numbers.Int("--seed", -1, "Use another seed than the protocol's", -1);
    private readonly Option<double?> lr = Numbers.Double("--lr", "Short for --set pretrain.blr=...");
    private readonly Option<int> threads = Numbers.Int(
        "--threads",
        0,
        "Compute threads; 0 means one a core. Never changes a bit",
        most: Numbers.MostThreads
    );
    private readonly Option<int> microBatch = Numbers.Int(
        "--micro-batch",
        0,
        "Samples at once through the network; 0 means a grain, on a GPU as many as fit. Never changes a bit of exact math"
    );
    private readonly Option<int> dataWorkers = Numbers.Int(
        "--data-workers",
        0,
        "Threads that prepare the next batch; 0 prepares on the compute threads. Never changes a bit",
        most: Numbers.MostThreads
    );
    private readonly Option<string> memory = new("--memory")
    {
        Description =
            "keep activations, recompute them (less memory, more time), or auto: keep where they fit. Never changes a bit",
        DefaultValueFactory = _ => "auto",
    };
    private readonly Option<string> device = new("--device")
    {
        Description =
            "cpu (best vector width), cpu-512, cpu-256, cpu-128, oracle, cuda:0 or cuda:emulated. Never changes a bit",
        DefaultValueFactory = _ => "cpu",
    };
    private readonly Option<string> math = MathOption();
    private readonly Option<string> output = new("--output", "-o")
    {
        Description = "Folder for runs",
        DefaultValueFactory = _ => "runs",
    };
    private readonly Option<string?> resume = new("--resume")
    {
        Description = "Go on with an interrupted run: its folder, or auto for the newest one of this protocol",
    };
    private readonly Option<string?> data = new("--data") { Description = "Folder with the data set's original files" };
    private readonly Option<double?> every = Numbers.Double(
        "--checkpoint-minutes",
        "Minutes between checkpoints; by default at most 1 % of the time goes into them, at least 1 and at most 30 minutes apart",
        0,
        1e6
    );
    private readonly Option<string?> index = new("--index")
    {
        Description =
            "Folder for the image indexes, if not beside the data or (where that cannot be written) in ~/.cache/lut",
    };
    private readonly Option<int> keep = Numbers.Int(
        "--keep-epochs",
        100,
        "Keep the checkpoint at the end of every so many epochs for good; 0 keeps only the newest two and each stage's last"
    );
    private readonly Option<string?> inject = new("--inject")
    {
        Description =
            "Plant a fault: step=7,tensor=blocks.0.mlp.fc1.weight,bit=12, or step=7,op=GemmNt,variant=order (split, unfused, tf32, ftz). The run is marked +injected; compare it with a clean one to see it found",
    };
    private readonly Option<int> traceStep = Numbers.Int(
        "--trace-step",
        -1,
        "Record every operation of this step with digests (table operations); uses one thread",
        -1
    );
    private readonly Option<int> stopAfter = Numbers.Int(
        "--stop-after",
        0,
        "Stop with a checkpoint after this many steps, as Ctrl-C would (exit 75)"
    );
    private readonly Option<bool> selfCheck = new("--self-check")
    {
        Description =
            "First run two steps twice, with other threads, micro-batch and memory setting; exit 7 when a bit differs",
    };
    private readonly Option<bool> failFast = new("--fail-fast")
    {
        Description =
            "Stop with a checkpoint (exit 3) at the first digest that differs from the reference; without it the difference is said at once, and the run goes on",
    };
    private readonly Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on standard error" };

    public string Math(ParseResult r) => r.GetValue(math)!;

    public Option<bool> Once { get; } =
        new("--once")
        {
            Description =
                "Do no work twice: verify the newest such run in --output when it is complete, go on with it when it was interrupted, else start one",
        };

    public Option<bool> Json { get; } =
        new("--json") { Description = "Print the result as one JSON object on standard output" };

    public RunOptions(Command command)
    {
        command.Arguments.Add(protocol);
        foreach (
            Option o in new Option[]
            {
                set,
                seed,
                lr,
                threads,
                microBatch,
                dataWorkers,
                memory,
                device,
                math,
                output,
                resume,
                data,
                index,
                every,
                keep,
                inject,
                traceStep,
                selfCheck,
                stopAfter,
                failFast,
                Once,
                quiet,
                Json,
            }
        )
            command.Options.Add(o);
    }

    public ResolvedProtocol Protocol(ParseResult r)
    {
        var sets = (r.GetValue(set) ?? []).ToList();
        if (r.GetValue(lr) is { } rate)
            sets.Add("pretrain.blr=" + rate.ToString("0.0##################", CultureInfo.InvariantCulture));
        return ProtocolReader.Load(r.GetValue(protocol)!, sets, r.GetValue(seed) is var s and >= 0 ? s : null);
    }

    /// <param name="stages">Empty for a plan.</param>
    public RunRequest Request(ParseResult r, IReadOnlyList<string> stages, string? checkpoint)
    {
        var resolved = Protocol(r);
        int count = r.GetValue(threads) is var t and > 0 ? t : Environment.ProcessorCount;
        string named = r.GetValue(device)!;
        // a plan may be for a device that is not here
        bool planned = stages.Count == 0 && Bench.Hardware.Known.Any(h => h.Name == named);
        var place = planned
            ? Bench.KernelTable.PlannedDevice(Bench.Hardware.Find(named), r.GetValue(math)!)
            : DeviceOf(named, r.GetValue(math)!);
        if (place.Level is { } level && !planned)
            resolved = resolved.AtLevel(level);
        var interval =
            CheckpointInterval.Parse(r.GetValue(every))
            ?? throw new LutError(
                Exit.Usage,
                420,
                FormattableString.Invariant($"{r.GetValue(every)} minutes are no time between checkpoints"),
                "--checkpoint-minutes",
                "it is at least 0 (after every step) and at most 525600 (a year)",
                "leave it out: the interval then adapts to what a checkpoint costs"
            );
        var exec = new ExecOptions(
            count,
            r.GetValue(microBatch),
            r.GetValue(dataWorkers),
            interval,
            StopAfter: r.GetValue(stopAfter),
            KeepEpochs: r.GetValue(keep),
            Inject: r.GetValue(inject) is { } fault ? Fault.Parse(fault) : null,
            TraceStep: r.GetValue(traceStep)
        );
        if (exec.Inject is WrongOperation || exec.TraceStep >= 0)
        {
            if (!place.OnHost)
                throw new LutError(
                    Exit.Usage,
                    33,
                    "operations are watched on the CPU",
                    "--device " + named,
                    "--trace-step and --inject op=... look at every result where it lies",
                    "use --device cpu: the bits are the same"
                );
            place = new InstrumentedDevice(place);
            if (exec.TraceStep >= 0)
                exec = exec with { Threads = 1, MicroBatch = 0 }; // the order of operations is then the same everywhere
        }
        if (exec.Inject is not null)
            resolved = resolved with { Name = resolved.Name + "+injected" };
        exec = exec with
        {
            Recompute = exec.TraceStep < 0 && Recompute(r.GetValue(memory)!, resolved.Spec, place, exec),
        };
        // a GPU's memory is what it is: unless it was said how many samples run at once, as many as fit
        if (
            !place.OnHost
            && exec.MicroBatch == 0
            && r.GetValue(memory) == "auto"
            && MemoryPlan.Run(resolved.Spec, place, exec) > 0.9 * place.MemoryBytes
        )
            exec = MemoryPlan.Fitting(resolved.Spec, place, exec) ?? exec;
        string root = r.GetValue(output)!;
        string? folder =
            r.GetValue(resume) is not { } asked ? null
            : asked == "auto" ? RunFolders.NewestUnfinished(root, resolved, checkpoint is not null)
            : asked;
        if (r.GetValue(Once) && r.GetValue(resume) is not null)
            throw new LutError(
                Exit.Usage,
                404,
                "--once and --resume are two answers to one question",
                "--once --resume",
                "--once finds an interrupted run itself",
                "leave one of them away"
            );
        if (folder is not null && !Directory.Exists(folder))
            throw new LutError(
                Exit.Usage,
                11,
                $"there is no run to resume at {folder}",
                Path.GetFullPath(folder),
                "--resume needs the folder of an interrupted run, or auto",
                "`lut ls` lists the runs"
            );
        return new RunRequest(
            resolved,
            exec,
            place,
            root,
            folder,
            r.GetValue(data),
            stages,
            checkpoint,
            r.GetValue(quiet),
            RecordedSettings.Argv(Environment.GetCommandLineArgs()),
            SelfCheck: r.GetValue(selfCheck),
            FailFast: r.GetValue(failFast),
            Index: r.GetValue(index)
        );
    }

    /// <summary>auto keeps activations where the run then fits nine tenths of the machine's memory.</summary>
    internal static bool Recompute(string memory, ProtocolSpec p, Device device, ExecOptions exec) =>
        memory switch
        {
            "keep" => false,
            "recompute" => true,
            "auto" => MemoryPlan.Run(p, device, exec) > 0.9 * (device.MemoryBytes ?? Machine.RamBytes),
            _ => throw new LutError(
                Exit.Usage,
                17,
                $"there is no memory setting {memory}",
                "--memory",
                "the settings are keep, recompute and auto",
                $"did you mean {Nearest.To(memory, ["keep", "recompute", "auto"])}?"
            ),
        };

    internal static Option<string> MathOption() =>
        new("--math")
        {
            Description =
                "exact: the same bits everywhere. run-to-run (bfloat16) or run-to-run-tf32: a GPU's tensor cores through cuBLASLt and cuDNN, the same bits on the same GPU model and libraries only",
            DefaultValueFactory = _ => "exact",
        };

    internal static Device DeviceOf(string name, string math)
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
        return name == "cpu" ? Cpu.Best()
            : name == "oracle" ? new OracleDevice()
            : Cpu.All().FirstOrDefault(d => d.Name == name)
                ?? throw NoDevice(name, $"known devices are {string.Join(", ", Devices)}");
    }

    private static readonly string[] Devices =
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
            $"did you mean {Nearest.To(name, Devices)}?"
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
