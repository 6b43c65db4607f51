using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LutNative.Harness.Bench;
using LutNative.Harness.Reports;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>bench: images per second of whole optimiser steps, in fresh processes, with phases and the share of the machine's limit.</summary>
internal static class BenchCommand
{
    private static readonly Argument<string> Shape = new("shape") { Description = $"{string.Join(", ", BenchShape.Names)}, or a protocol (fashion-lut@1)" };
    private static readonly Option<string> Stage = new("--stage") { Description = "pretrain or finetune", DefaultValueFactory = _ => "pretrain" };
    private static readonly Option<string> Method = new("--method") { Description = "lut or mae; the shape's own by default", DefaultValueFactory = _ => "" };
    private static readonly Option<int> Batch = Numbers.Int("--batch", 0, "Samples of a step; 0 means the shape's own");
    private static readonly Option<int> Threads = Numbers.Int("--threads", 0, "Compute threads; 0 means one a core");
    private static readonly Option<int> MicroBatch = Numbers.Int("--micro-batch", 0, "Samples at once through the network; 0 means a grain");
    private static readonly Option<int> DataWorkers = Numbers.Int("--data-workers", 0, "Threads that prepare the next batch; 0 prepares on the compute threads");
    private static readonly Option<int> Launches = Numbers.Int("--launches", 3, "Fresh processes; 0 measures in this one");
    private static readonly Option<int> Blocks = Numbers.Int("--blocks", 3, "Blocks of steps in each", 1);
    private static readonly Option<double?> Seconds = Numbers.Double("--seconds", "Length of a block (3 by default)");
    private static readonly Option<string> Memory = new("--memory") { Description = "keep activations, or recompute them", DefaultValueFactory = _ => "keep" };
    private static readonly Option<string> Device = new("--device") { Description = "cpu (best vector width), cpu-512, cpu-256, cpu-128, cuda:0, cuda:emulated", DefaultValueFactory = _ => "cpu" };
    private static readonly Option<string> Math = RunOptions.MathOption();
    private static readonly Option<bool> Kernels = new("--kernels") { Description = "What each kernel of a step asks of a GPU, and how long it should and does take. With --device planned:h200 nothing runs, only what should" };
    private static readonly Option<bool> Premade = new("--premade") { Description = "Every step sees one batch made beforehand: the step without its data" };
    private static readonly Option<string?> Data = new("--data") { Description = "Folder with the data set's original files" };
    private static readonly Option<string?> Record = new("--output", "-o") { Description = "Also write the blocks to this folder, as a part of its throughput table (Parquet)" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object" };

    internal static Command Build()
    {
        var command = new Command("bench", "Measure images per second of whole optimiser steps. Example: lut bench vitb16 --batch 8");
        command.Arguments.Add(Shape);
        foreach (Option o in new Option[] { Stage, Method, Batch, Threads, MicroBatch, DataWorkers, Memory, Launches, Blocks, Seconds, Device, Math, Kernels, Premade, Data, Record, Json }) command.Options.Add(o);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult r)
    {
        string stage = r.GetValue(Stage)!, method = r.GetValue(Method)!;
        if (stage is not ("pretrain" or "finetune")) throw new LutError(Exit.Usage, 14, $"there is no stage {stage}", "--stage", "the stages that train are pretrain and finetune", "use one of them");
        if (method is not ("" or "lut" or "mae")) throw new LutError(Exit.Usage, 15, $"there is no method {method}", "--method", "the methods are lut and mae", "use one of them");
        var shape = BenchShape.Find(r.GetValue(Shape)!, r.GetValue(Batch));
        if (method.Length > 0) shape = shape with { Protocol = shape.Protocol with { Pretrain = shape.Protocol.Pretrain with { Method = method } } };
        int threads = r.GetValue(Threads) is var t and > 0 ? t : Environment.ProcessorCount;
        var exec = new ExecOptions(threads, r.GetValue(MicroBatch), r.GetValue(DataWorkers), TimeSpan.MaxValue, FrozenData: r.GetValue(Premade));
        if (r.GetValue(Kernels))
        {
            KernelTable.Print(shape, stage, exec, r.GetValue(Device)!, r.GetValue(Math)!, r.GetValue(Memory)!, r.GetValue(Data), r.GetValue(Json));
            return 0;
        }
        var device = RunOptions.DeviceOf(r.GetValue(Device)!, r.GetValue(Math)!);
        exec = exec with { Recompute = RunOptions.Recompute(r.GetValue(Memory)!, shape.Protocol, device, exec) };
        if (r.GetValue(Launches) == 0)
        {
            var one = StepBench.Run(shape, stage, shape.Images(r.GetValue(Data)), device, exec, r.GetValue(Blocks), r.GetValue(Seconds) ?? 3.0);
            Console.Out.WriteLine(JsonSerializer.Serialize(one));
            return 0;
        }
        var launches = Enumerable.Range(0, r.GetValue(Launches)).Select(_ => Child(r)).ToArray();
        if (r.GetValue(Record) is { } folder) Write(folder, shape, stage, device, exec, launches);
        Print(shape, stage, device, exec, launches, r.GetValue(Json));
        return 0;
    }

    /// <summary>The same command in a fresh process, which answers with one line of JSON.</summary>
    private static Launch Child(ParseResult r)
    {
        string[] own = Environment.GetCommandLineArgs();
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // `dotnet lut.dll ...` has the program as its first argument, a self-contained executable does not
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(own[0]);
        for (int i = 1; i < own.Length; i++)
            if (own[i] == "--launches") i++;
            else if (!own[i].StartsWith("--launches=", StringComparison.Ordinal)) start.ArgumentList.Add(own[i]);
        start.ArgumentList.Add("--launches=0");
        using var child = Process.Start(start)!;
        string answer = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new LutError((Exit)child.ExitCode, 16, "a launch of the benchmark failed", string.Join(' ', start.ArgumentList), "its message is above", "run it with --launches 0");
        return JsonSerializer.Deserialize<Launch>(answer)!;
    }

    private static void Write(string folder, BenchShape shape, string stage, Device device, ExecOptions exec, Launch[] launches)
    {
        var p = shape.Protocol;
        var table = new Table(Schema.Throughput);
        string id = Guid.CreateVersion7().ToString(), machine = device is CudaDevice cuda ? cuda.Context.DeviceName : Machine.CpuModel;
        var (method, batch) = stage == "pretrain" ? (p.Pretrain.Method, p.Pretrain.Batch) : ("", p.Finetune.Batch);
        for (int l = 0; l < launches.Length; l++)
            for (int b = 0; b < launches[l].ImagesPerSecond.Length; b++)
                table.Add(id, DateTime.UtcNow, shape.Name, stage, method, batch, device.Level ?? p.Contract, device.Name, machine, exec.Threads, l, b, launches[l].ImagesPerSecond[b], launches[l].FlopsPerImage, launches[l].FmaFlops[b],
                    launches[l].JoulesPerImage, launches[l].Steps, launches[l].Digest, Version.Lut,
                    null, null, null, null, null, null, null, null, null, null, null, Machine.HardwareKey(device));
        RunStore.Create(folder).Commit([table], new Dictionary<string, string> { ["lut.run_id"] = id, ["lut.protocol"] = shape.Name, ["lut.math_hash"] = "", ["lut.data_hash"] = "", ["lut.writer"] = "lut " + Version.Lut });
    }

    private static void Print(BenchShape shape, string stage, Device device, ExecOptions exec, Launch[] launches, bool json)
    {
        var p = shape.Protocol;
        var rate = Interval.Of([.. launches.SelectMany(l => l.ImagesPerSecond)]);
        double peak = Interval.MedianOf([.. launches.SelectMany(l => l.FmaFlops)]), flops = StepBench.FlopsPerImage(p, stage);
        // block by block against the limit measured beside it, so that a neighbour's load cancels
        double share = Interval.MedianOf([.. launches.SelectMany(l => l.ImagesPerSecond.Zip(l.FmaFlops, (i, f) => i * flops / f))]);
        int batch = stage == "pretrain" ? p.Pretrain.Batch : p.Finetune.Batch, grain = stage == "pretrain" ? p.Pretrain.Grain : p.Finetune.Grain;
        var phases = launches[0].Phases.Keys.ToDictionary(k => k, k => Interval.MedianOf([.. launches.Select(l => l.Phases[k])]));
        double waiting = 1.0;
        foreach (double busy in phases.Values) waiting -= busy;
        phases["waiting"] = waiting;
        double allocated = launches.Max(l => l.BytesPerStep);
        long memory = launches.Max(l => l.PeakBytes);
        long planned = MemoryPlan.Stage(p, stage, device, exec);
        double? joules = launches.All(l => l.JoulesPerImage is not null) ? Interval.MedianOf([.. launches.Select(l => l.JoulesPerImage!.Value)]) : null;
        string[] slowdown = [.. launches.SelectMany(l => l.Slowdown).Distinct()];
        string method = stage == "pretrain" ? p.Pretrain.Method : "finetune";
        if (json)
        {
            Output.Json(new
            {
                shape = shape.Name, stage, method, batch, grain, threads = exec.Threads, device = device.Name, cpu = Machine.CpuModel, images_per_second = rate.Median, low = rate.Low, high = rate.High,
                blocks = launches.SelectMany(l => l.ImagesPerSecond), flops_per_image = flops, fma_peak = peak, peak_share = share, phases, bytes_per_step = allocated, peak_bytes = memory, planned_bytes = planned, digest = launches[0].Digest, level = device.Level ?? p.Contract, joules_per_image = joules, slowdown,
            });
            return;
        }
        string F(double x, string f) => x.ToString(f, CultureInfo.InvariantCulture);
        Output.Table(["what", "value"],
        [
            ["shape", $"{shape.Name}: {shape.Title}"],
            ["step", $"{method}, batch {batch}, grain {grain}, {exec.Threads} thread(s), {device.Name}{(device.Level is { } level ? ", " + level : "")}{(exec.FrozenData ? ", images made beforehand" : "")}"],
            ["machine", Machine.CpuModel],
            ["images/s", $"{F(rate.Median, rate.Median < 100 ? "f2" : "f0")}   95 % interval {F(rate.Low, "g5")} to {F(rate.High, "g5")}, {launches.Length} launches x {launches[0].ImagesPerSecond.Length} blocks"],
            ["matrix products", $"{F(flops / 1e9, "f3")} GFLOP an image, {F(rate.Median * flops / 1e9, "f0")} GFLOP/s"],
            ["FMA limit", $"{F(peak / 1e9, "f0")} GFLOP/s measured between the blocks; the step reaches {F(100 * share, "f1")} % of it"],
            ["threads' time", string.Join(", ", phases.Select(f => $"{f.Key} {F(100 * f.Value, "f1")} %"))],
            ["memory", $"{F(memory / 1048576.0, "f0")} MiB at most, planned {F(planned / 1048576.0, "f0")}; {F(allocated, "f0")} managed bytes a step"],
            ["energy", joules is { } j ? $"{F(j, "f3")} J an image{(slowdown.Length > 0 ? "; clocks were held down by " + string.Join(", ", slowdown) : "")}" : "not counted by this device"],
            ["digest", $"{launches[0].Digest} after {launches[0].Steps} steps"],
        ]);
    }
}
