using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>
/// bench: images per second of whole optimiser steps, in fresh processes, with phases and the share of the machine's
/// limit.
/// </summary>
internal static class BenchCommand
{
    private static readonly Argument<string> Shape = new("shape")
    {
        Description = $"{string.Join(", ", BenchShape.Names)}, or a protocol (fashion-lut@1)",
    };
    private static readonly Option<string> Stage = new("--stage")
    {
        Description = "pretrain or finetune",
        DefaultValueFactory = _ => StageId.Pretrain.Name,
    };
    private static readonly Option<string> Method = new("--method")
    {
        Description = "lut or mae; the shape's own by default",
        DefaultValueFactory = _ => "",
    };
    private static readonly Option<int> Batch = Numbers.Int("--batch", 0, "Samples of a step; 0 means the shape's own");
    private static readonly Option<int> Threads = Numbers.Int(
        "--threads",
        0,
        "Compute threads; 0 means one a core",
        most: Numbers.MostThreads
    );
    private static readonly Option<int> MicroBatch = Numbers.Int(
        "--micro-batch",
        0,
        "Samples at once through the network; 0 means a grain"
    );
    private static readonly Option<int> DataWorkers = Numbers.Int(
        "--data-workers",
        0,
        "Threads that prepare the next batch; 0 prepares on the compute threads",
        most: Numbers.MostThreads
    );
    private static readonly Option<int> Launches = Numbers.Int(
        "--launches",
        3,
        "Fresh processes; 0 measures in this one",
        most: 1000
    );
    private static readonly Option<int> Blocks = Numbers.Int("--blocks", 3, "Blocks of steps in each", 1, 10000);
    private static readonly Option<double?> Seconds = Numbers.Double(
        "--seconds",
        "Length of a block (3 by default)",
        1e-3,
        86400
    );
    private static readonly Option<string> Memory = new("--memory")
    {
        Description = "keep activations, or recompute them",
        DefaultValueFactory = _ => "keep",
    };
    private static readonly Option<string> Device = new("--device")
    {
        Description = "cpu (best vector width), cpu-512, cpu-256, cpu-128, cuda:0, cuda:emulated",
        DefaultValueFactory = _ => "cpu",
    };
    private static readonly Option<string> Math = RunOptions.MathOption();
    private static readonly Option<bool> Kernels = new("--kernels")
    {
        Description =
            "What each kernel of a step asks of a GPU, and how long it should and does take. With --device planned:h200 nothing runs, only what should",
    };
    private static readonly Option<bool> Premade = new("--premade")
    {
        Description = "Every step sees one batch made beforehand: the step without its data",
    };
    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Folder with the data set's original files",
    };
    private static readonly Option<string?> Against = new("--against")
    {
        Description =
            "Also measure another build in turns with this one (its lut.dll or executable; self for an A/A test) and compare: FASTER, SAME, SLOWER, ...",
    };
    private static readonly Option<double?> Slow = Numbers.Double(
        "--slow",
        "Wait after every step for this share of its time: a slowdown planted on purpose, for drills. With --against it slows the other build",
        0,
        100
    );
    private static readonly Option<bool> Turns = new("--turns")
    {
        Description = "Wait for a line on standard input before every block",
        Hidden = true,
    };
    private static readonly Option<double?> Band = Numbers.Double(
        "--band",
        "Ratio that counts as noise with --against (0.03 by default)",
        0,
        10
    );
    private static readonly Option<string?> Record = new("--output", "-o")
    {
        Description =
            "Also write the blocks to this folder, as a part of its throughput table (Parquet); with --against to its folders a and b",
    };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object" };

    internal static Command Build()
    {
        var command = new Command(
            "bench",
            "Measure images per second of whole optimiser steps. Example: lut bench vitb16 --batch 8"
        );
        command.Arguments.Add(Shape);
        foreach (
            Option o in new Option[]
            {
                Stage,
                Method,
                Batch,
                Threads,
                MicroBatch,
                DataWorkers,
                Memory,
                Launches,
                Blocks,
                Seconds,
                Device,
                Math,
                Kernels,
                Premade,
                Data,
                Against,
                Slow,
                Turns,
                Band,
                Record,
                Json,
            }
        )
            command.Options.Add(o);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult r)
    {
        string stage = r.GetValue(Stage)!;
        string method = r.GetValue(Method)!;
        if (StageCatalog.Default.Benched.All(s => s.Id.Name != stage))
            throw new LutError(
                Exit.Usage,
                14,
                $"there is no stage {stage}",
                "--stage",
                "the stages that train are pretrain and finetune",
                "use one of them"
            );
        if (method is not ("" or "lut" or "mae"))
            throw new LutError(
                Exit.Usage,
                15,
                $"there is no method {method}",
                "--method",
                "the methods are lut and mae",
                "use one of them"
            );
        var order = new BenchOrder(
            r.GetValue(Shape)!,
            stage,
            method,
            r.GetValue(Batch),
            r.GetValue(Threads),
            r.GetValue(MicroBatch),
            r.GetValue(DataWorkers),
            r.GetValue(Blocks),
            r.GetValue(Seconds) ?? 3.0,
            r.GetValue(Memory)!,
            r.GetValue(Device)!,
            r.GetValue(Math)!,
            r.GetValue(Premade),
            r.GetValue(Data),
            r.GetValue(Slow) ?? 0
        );
        var shape = BenchShape.Of(order);
        int threads = order.Threads > 0 ? order.Threads : Environment.ProcessorCount;
        var exec = new ExecOptions(threads, order.MicroBatch, order.DataWorkers, TimeSpan.MaxValue);
        var bench = new BenchOptions(order.Premade);
        if (r.GetValue(Kernels))
        {
            KernelTable.Print(
                shape,
                stage,
                exec,
                bench,
                order.Device,
                order.Math,
                order.Memory,
                order.Data,
                r.GetValue(Json)
            );
            return 0;
        }
        var device = DeviceCatalog.Of(order.Device, order.Math);
        exec = exec with { Recompute = MemorySetting.Recompute(order.Memory, shape.Protocol, device, exec, bench) };
        if (r.GetValue(Launches) == 0)
        {
            var one = StepBench.Run(
                shape,
                stage,
                shape.Images(order.Data),
                device,
                exec,
                bench,
                order.Blocks,
                order.Seconds,
                order.Slow,
                r.GetValue(Turns) ? Bench.Launches.MyTurn : null
            );
            Console.Out.WriteLine(JsonSerializer.Serialize(one));
            return 0;
        }
        string? against = r.GetValue(Against);
        string? folder = r.GetValue(Record);
        var mine = new List<Launch>();
        var theirs = new List<Launch>();
        for (int l = 0; l < r.GetValue(Launches); l++)
            if (against is null)
                mine.Add(Bench.Launches.Fresh(order));
            else
            {
                var (a, b) = Bench.Launches.Pair(order with { Slow = 0 }, against, order);
                mine.Add(a);
                theirs.Add(b);
            }
        string id = Guid.CreateVersion7().ToString();
        var rows = Bench.Launches.Rows(shape, stage, device, threads, mine, id);
        if (folder is not null)
            Bench.Launches.Write(against is null ? folder : Path.Combine(folder, "a"), rows);
        if (against is null)
        {
            Print(shape, stage, device, exec, bench, mine, r.GetValue(Json));
            return 0;
        }
        var others = Bench.Launches.Rows(shape, stage, device, threads, theirs, id);
        if (folder is not null)
            Bench.Launches.Write(Path.Combine(folder, "b"), others);
        double band = r.GetValue(Band) ?? PerformanceReport.DefaultBand;
        if (against == Bench.Launches.Self && order.Slow == 0 && !r.GetValue(Json))
            Console.Out.WriteLine(
                FormattableString.Invariant(
                    $"noise band of this machine for {order.Shape} {stage}: {Performance.BandOf(rows):f4} between launches at different times, {Performance.BandOf(rows, others):f4} between pairs in turns"
                )
            );
        return (int)PerformanceReport.Print(Performance.Compare(rows, others, _ => band), r.GetValue(Json));
    }

    private static void Print(
        BenchShape shape,
        string stage,
        Device device,
        ExecOptions exec,
        BenchOptions bench,
        List<Launch> launches,
        bool json
    )
    {
        var p = shape.Protocol;
        Block[] blocks = [.. launches.SelectMany(l => l.Blocks)];
        var rate = Interval.Of([.. blocks.Select(b => b.ImagesPerSecond)]);
        double peak = Performance.Median([.. blocks.Select(b => b.FmaFlops)]);
        double flops = StepBench.FlopsPerImage(p, stage);
        // block by block against the limit measured beside it, so that a neighbour's load cancels
        double share = Performance.Median([
            .. blocks.Select(b => b.ImagesPerSecond * flops / Bench.Launches.PeakOf(device, b).Flops),
        ]);
        int batch = shape.Batch(stage);
        int grain = shape.Grain(stage);
        var phases = launches[0]
            .Phases.Keys.ToDictionary(k => k, k => Performance.Median([.. launches.Select(l => l.Phases[k])]));
        double waiting = 1.0;
        foreach (double busy in phases.Values)
            waiting -= busy;
        phases["waiting"] = waiting;
        double allocated = launches.Max(l => l.BytesPerStep);
        long memory = launches.Max(l => l.PeakBytes);
        long planned = MemoryPlan.Stage(p, BenchShape.Trained(stage), device, exec, bench);
        double? joules = launches.All(l => l.JoulesPerImage is not null)
            ? Performance.Median([.. launches.Select(l => l.JoulesPerImage!.Value)])
            : null;
        string[] slowdown = [.. blocks.SelectMany(b => b.Slowdown).Distinct()];
        string method = stage == StageId.Pretrain.Name ? p.Pretrain.Method : stage;
        var (limit, source) = Bench.Launches.PeakOf(device, blocks[0] with { FmaFlops = peak });
        double P(Func<Block, long> of) => Performance.Median([.. blocks.Select(b => (double)of(b))]);
        double? load = blocks.All(b => b.OtherLoad is not null) ? blocks.Average(b => b.OtherLoad!.Value) : null;
        if (json)
        {
            Output.Json(
                new
                {
                    shape = shape.Name,
                    stage,
                    method,
                    batch,
                    grain,
                    threads = exec.Threads,
                    device = device.Name,
                    cpu = Machine.CpuModel,
                    images_per_second = rate.Median,
                    low = rate.Low,
                    high = rate.High,
                    blocks = blocks.Select(b => b.ImagesPerSecond),
                    mfu = share,
                    mfu_numerator = rate.Median * flops,
                    mfu_denominator = limit,
                    mfu_source = source,
                    step_ns = new
                    {
                        p50 = P(b => b.P50),
                        p90 = P(b => b.P90),
                        p99 = P(b => b.P99),
                        max = blocks.Max(b => b.Max),
                    },
                    data_wait = blocks.Average(b => b.DataWait),
                    other_load = load,
                    warmup_steps = launches.Select(l => l.WarmupSteps),
                    check_digest = launches[0].CheckDigest,
                    flops_per_image = flops,
                    fma_peak = peak,
                    peak_share = Performance.Median([.. blocks.Select(b => b.ImagesPerSecond * flops / b.FmaFlops)]),
                    phases,
                    bytes_per_step = allocated,
                    peak_bytes = memory,
                    planned_bytes = planned,
                    digest = launches[0].Digest,
                    level = device.Level ?? p.Contract,
                    joules_per_image = joules,
                    slowdown,
                }
            );
            return;
        }
        string F(double x, string f) => x.ToString(f, CultureInfo.InvariantCulture);
        Output.Table(
            ["what", "value"],
            [
                ["shape", $"{shape.Name}: {shape.Title}"],
                [
                    "work",
                    $"{method}, batch {batch}, grain {grain}, {exec.Threads} thread(s), {device.Name}{(device.Level is { } level ? ", " + level : "")}{(bench.FrozenData ? ", images made beforehand" : "")}",
                ],
                ["machine", Machine.CpuModel],
                [
                    "images/s",
                    $"{F(rate.Median, rate.Median < 100 ? "f2" : "f0")}   95 % interval {F(rate.Low, "g5")} to {F(rate.High, "g5")}, {launches.Count} launches x {launches[0].Blocks.Length} blocks",
                ],
                [
                    "matrix products",
                    $"{F(flops / 1e9, "f3")} GFLOP an image, {F(rate.Median * flops / 1e9, "f0")} GFLOP/s",
                ],
                [
                    "MFU",
                    $"{F(100 * share, "f1")} % = {F(rate.Median, rate.Median < 100 ? "f2" : "f0")} images/s x {F(flops / 1e9, "f3")} GFLOP / {F(limit / 1e9, "f0")} GFLOP/s ({source})",
                ],
                [
                    "step",
                    $"{F(P(b => b.P50) / 1e6, "f2")} ms (median), p90 {F(P(b => b.P90) / 1e6, "f2")}, p99 {F(P(b => b.P99) / 1e6, "f2")}, longest {F(blocks.Max(b => b.Max) / 1e6, "f2")}; {F(100 * blocks.Average(b => b.DataWait), "f1")} % of the time waiting for data",
                ],
                [
                    "machine's state",
                    $"{(load is { } others ? F(others, "f2") + " cores busy with others" : "load unknown")}{(blocks[^1].ClockMhz is { } mhz ? $", {F(mhz, "f0")} MHz" : "")}; warm after {string.Join(", ", launches.Select(l => l.WarmupSteps))} steps",
                ],
                ["threads' time", string.Join(", ", phases.Select(f => $"{f.Key} {F(100 * f.Value, "f1")} %"))],
                [
                    "memory",
                    $"{F(memory / 1048576.0, "f0")} MiB at most, planned {F(planned / 1048576.0, "f0")}; {F(allocated, "f0")} managed bytes a step",
                ],
                [
                    "energy",
                    joules is { } j
                        ? $"{F(j, "f3")} J an image{(slowdown.Length > 0 ? "; clocks were held down by " + string.Join(", ", slowdown) : "")}"
                        : "not counted here",
                ],
                [
                    "digest",
                    $"{launches[0].CheckDigest} after three steps, {launches[0].Digest} after {launches[0].Steps}",
                ],
            ]
        );
    }
}
