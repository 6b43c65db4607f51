using System.CommandLine;
using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>What `lut bench` takes, in the order of its help.</summary>
internal sealed class BenchArguments(Command command)
{
    private const double DefaultSeconds = 3.0;

    private readonly Argument<string> shape = command.Argument<string>(
        "shape",
        $"{string.Join(", ", BenchShape.Names)}, or a protocol (fashion-lut@1)"
    );
    private readonly Option<string> stage = command.Option("--stage", "pretrain or finetune", StageId.Pretrain.Name);
    private readonly Option<string> method = command.Option("--method", "lut or mae; the shape's own by default", "");
    private readonly Option<int> batch = command.Int("--batch", 0, "Samples of a step; 0 means the shape's own");
    private readonly Option<int> threads = command.Threads();
    private readonly Option<int> microBatch = command.Int(
        "--micro-batch",
        0,
        "Samples at once through the network; 0 means a grain"
    );
    private readonly Option<int> dataWorkers = command.Int(
        "--data-workers",
        0,
        "Threads that prepare the next batch; 0 prepares on the compute threads",
        most: Numbers.MostThreads
    );
    private readonly Option<string> memory = command.Memory("keep activations, or recompute them");

    public Option<int> Launches { get; } =
        command.Int("--launches", 3, "Fresh processes; 0 measures in this one", most: 1000);

    private readonly Option<int> blocks = command.Int("--blocks", 3, "Blocks of steps in each", 1, 10000);
    private readonly Option<double?> seconds = command.Double(
        "--seconds",
        "Length of a block (3 by default)",
        1e-3,
        86400
    );
    private readonly Option<string> device = command.Device(
        "cpu (best vector width), cpu-512, cpu-256, cpu-128, cuda:0, cuda:emulated"
    );
    private readonly Option<string> math = command.Math();

    public Option<bool> Kernels { get; } =
        command.Flag(
            "--kernels",
            "What each kernel of a step asks of a GPU, and how long it should and does take. With --device "
                + "planned:h200 nothing runs, only what should"
        );

    private readonly Option<bool> premade = command.Flag(
        "--premade",
        "Every step sees one batch made beforehand: the step without its data"
    );
    private readonly Option<string?> data = command.Data();

    public Option<string?> Against { get; } =
        command.Option<string?>(
            "--against",
            "Also measure another build in turns with this one (its lut.dll or executable; self for an A/A "
                + "test) and compare: FASTER, SAME, SLOWER, ..."
        );

    private readonly Option<double?> slow = command.Double(
        "--slow",
        "Wait after every step for this share of its time: a slowdown planted on purpose, for drills. With "
            + "--against it slows the other build",
        0,
        100
    );

    public Option<bool> Turns { get; } =
        command.Flag("--turns", "Wait for a line on standard input before every block", hidden: true);

    public Option<double?> Band { get; } = command.Band("--against");

    public Option<string?> Folder { get; } =
        command.Output(
            "Also write the blocks to this folder, as a part of its throughput table (Parquet); with --against "
                + "to its folders a and b"
        );

    public Option<bool> Json { get; } = command.Json("Print one JSON object");

    public BenchOrder Order(ParseResult r)
    {
        string named = r.GetValue(stage)!;
        string how = r.GetValue(method)!;
        if (StageCatalog.Default.Benched.All(s => s.Id.Name != named))
            throw UsageErrors.NoTrainingStage(named);
        if (how is not ("" or "lut" or "mae"))
            throw UsageErrors.NoMethod(how);
        return new BenchOrder(
            r.GetValue(shape)!,
            named,
            how,
            r.GetValue(batch),
            r.GetValue(threads),
            r.GetValue(microBatch),
            r.GetValue(dataWorkers),
            r.GetValue(blocks),
            r.GetValue(seconds) ?? DefaultSeconds,
            r.GetValue(memory)!,
            r.GetValue(device)!,
            r.GetValue(math)!,
            r.GetValue(premade),
            r.GetValue(data),
            r.GetValue(slow) ?? 0
        );
    }
}
