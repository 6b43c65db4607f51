using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

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
        "Samples at once through the network; 0 means a grain, on a GPU as many as fit. Never changes a "
            + "bit of exact math"
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
            "keep activations, recompute them (less memory, more time), or auto: keep where they fit. "
            + "Never changes a bit",
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
        "Minutes between checkpoints; by default at most 1 % of the time goes into them, at least 1 and at "
            + "most 30 minutes apart",
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
        "Keep the checkpoint at the end of every so many epochs for good; 0 keeps only the newest two and "
            + "each stage's last"
    );
    private readonly Option<string?> inject = new("--inject")
    {
        Description =
            "Plant a fault: step=7,tensor=blocks.0.mlp.fc1.weight,bit=12, or "
            + "step=7,op=GemmNt,variant=order (split, unfused, tf32, ftz). The run is marked +injected; "
            + "compare it with a clean one to see it found",
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
            "Stop with a checkpoint (exit 3) at the first digest that differs from the reference; without "
            + "it the difference is said at once, and the run goes on",
    };
    private readonly Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on standard error" };

    public string Math(ParseResult r) => r.GetValue(math)!;

    public Option<bool> Once { get; } =
        new("--once")
        {
            Description =
                "Do no work twice: verify the newest such run in --output when it is complete, go on with "
                + "it when it was interrupted, else start one",
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

    /// <summary>Of a verb that computes here.</summary>
    /// <param name="stages">Empty for a verb that runs none.</param>
    public RunRequest Request(ParseResult r, IReadOnlyList<StageId> stages, string? checkpoint)
    {
        var resolved = Protocol(r);
        var on = DeviceCatalog.Of(r.GetValue(device)!, r.GetValue(math)!);
        return Request(r, on.Level is { } level ? resolved.AtLevel(level) : resolved, on, stages, checkpoint);
    }

    /// <summary>Of a plan, which may be for a device that is not here.</summary>
    public RunRequest PlanRequest(ParseResult r)
    {
        string named = r.GetValue(device)!;
        if (Bench.Hardware.Known.All(h => h.Name != named))
            return Request(r, [], null);
        var resolved = Protocol(r);
        var planned = Bench.KernelTable.PlannedDevice(Bench.Hardware.Find(named), r.GetValue(math)!);
        return Request(r, resolved, planned, [], null);
    }

    private RunRequest Request(
        ParseResult r,
        ResolvedProtocol resolved,
        Device on,
        IReadOnlyList<StageId> stages,
        string? checkpoint
    )
    {
        int asked = r.GetValue(threads);
        var exec = new ExecOptions(
            asked > 0 ? asked : Environment.ProcessorCount,
            r.GetValue(microBatch),
            r.GetValue(dataWorkers),
            Interval(r),
            KeepEpochs: r.GetValue(keep)
        );
        var drill = new DrillOptions(
            r.GetValue(inject) is { } fault ? Fault.Parse(fault) : null,
            r.GetValue(traceStep),
            r.GetValue(stopAfter)
        );
        if (drill.WatchesOperations)
        {
            on = DeviceCatalog.Instrumented(on, r.GetValue(device)!);
            if (drill.TraceStep >= 0)
                exec = exec with { Threads = 1, MicroBatch = 0 }; // the order of operations is then the same everywhere
        }
        if (drill.Inject is not null)
            resolved = resolved with { Name = resolved.Name + "+injected" };
        exec = Fitted(r, resolved.Spec, on, exec, drill);
        string root = r.GetValue(output)!;
        return new RunRequest(
            resolved,
            exec,
            on,
            root,
            Resumed(r, root, resolved, checkpoint is not null),
            r.GetValue(data),
            stages,
            checkpoint,
            r.GetValue(quiet),
            RecordedSettings.Argv(Environment.GetCommandLineArgs())
        )
        {
            Drill = drill,
            SelfCheck = r.GetValue(selfCheck),
            FailFast = r.GetValue(failFast),
            Index = r.GetValue(index),
        };
    }

    private CheckpointInterval Interval(ParseResult r) =>
        CheckpointInterval.Parse(r.GetValue(every)) ?? throw UsageErrors.NoInterval(r.GetValue(every));

    /// <summary>How many samples run at once, and what is kept of them, so that it fits the device.</summary>
    private ExecOptions Fitted(ParseResult r, ProtocolSpec p, Device on, ExecOptions exec, DrillOptions drill)
    {
        string asked = r.GetValue(memory)!;
        exec = exec with { Recompute = drill.TraceStep < 0 && MemorySetting.Recompute(asked, p, on, exec) };
        // a GPU's memory is what it is: unless it was said how many samples run at once, as many as fit
        bool free = !on.OnHost && exec.MicroBatch == 0 && asked == MemorySetting.Auto;
        return free && MemoryPlan.Run(p, on, exec) > MemorySetting.Usable * on.MemoryBytes
            ? MemoryPlan.Fitting(p, on, exec) ?? exec
            : exec;
    }

    /// <summary>The folder of the run to go on with; null for a new one.</summary>
    private string? Resumed(ParseResult r, string root, ResolvedProtocol resolved, bool warmStart)
    {
        if (r.GetValue(resume) is not { } asked)
            return null;
        string folder = asked == "auto" ? RunFolders.NewestUnfinished(root, resolved, warmStart) : asked;
        if (r.GetValue(Once))
            throw UsageErrors.OnceOrResume();
        if (!Directory.Exists(folder))
            throw UsageErrors.NoRunToResume(folder);
        return folder;
    }

    internal static Option<string> MathOption() =>
        new("--math")
        {
            Description =
                "exact: the same bits everywhere. run-to-run (bfloat16) or run-to-run-tf32: a GPU's tensor "
                + "cores through cuBLASLt and cuDNN, the same bits on the same GPU model and libraries only",
            DefaultValueFactory = _ => "exact",
        };
}
