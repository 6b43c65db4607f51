using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>plan: what a protocol would cost; nothing is run.</summary>
internal static class PlanCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "plan",
            "Show a protocol resolved: parameters, FLOPs, memory, steps and a time estimate. Nothing is run. Examples: lut plan fashion-lut@1; lut plan imagenet-lut-vitb16@1 --device h200 --count 8; lut plan imagenet-lut-vitl16@1 --explain pretrain.epochs"
        );
        var options = new RunOptions(command);
        Option<string?> explain = new("--explain")
        {
            Description = "A key (section.name): its value, where it is written, and its source",
        };
        Option<int> count = Numbers.Int("--count", 1, "Devices, for --device a100, h100, h200, l40s or rtx4090", 1);
        Option<string?> result = new("--result")
        {
            Description =
                "A folder that `lut bench SHAPE -o FOLDER` wrote: plan with the images/s measured there in place of the data sheet",
        };
        foreach (Option o in new Option[] { explain, count, result })
            command.Options.Add(o);
        command.SetAction(r =>
        {
            if (r.GetValue(explain) is { } key)
            {
                var (value, where, citation) = ProtocolReader.Explain(options.Protocol(r), key);
                if (r.GetValue(options.Json))
                    Output.Json(
                        new
                        {
                            key,
                            value,
                            where,
                            citation,
                            assumed = citation.StartsWith("assumed", StringComparison.Ordinal),
                            exit = 0,
                        }
                    );
                else
                    Output.Table(
                        ["what", "value"],
                        [
                            ["key", key],
                            ["value", value],
                            ["where", where],
                            ["source", citation.Length == 0 ? "none given" : citation],
                        ]
                    );
                return 0;
            }
            var request = options.PlanRequest(r);
            if (
                request.Device is CudaDevice { Name: var name }
                && name.StartsWith("planned:", StringComparison.Ordinal)
            )
                ClusterPlan.Print(
                    request,
                    Hardware.Find(name["planned:".Length..]),
                    r.GetValue(count),
                    options.Math(r),
                    r.GetValue(result),
                    r.GetValue(options.Json)
                );
            else
                Print(request, r.GetValue(options.Json));
            return 0;
        });
        return command;
    }

    private static void Print(RunRequest request, bool json)
    {
        var p = request.Protocol.Spec;
        var net = NetworkFactory.PretrainingOf(p);
        var cost = new Cost(p, net);
        long steps = StageCatalog.Default[StageId.Pretrain].Steps(p);
        long fineSteps = StageCatalog.Default[StageId.Finetune].Steps(p);
        int supervised = p.Baselines.Scratch ? 2 : 1;
        double total =
            (double)steps * p.Pretrain.Batch * cost.PretrainFlops
            + (double)supervised * fineSteps * p.Finetune.Batch * cost.FinetuneFlops
            + (p.Data.TrainImages + p.Data.TestImages) * cost.EncodeFlops;
        // measured on AVX-512 and AVX2 cores with networks of this size: about 85 and 50 GFLOP/s a core, everything
        // included
        double rate =
            request.Exec.Threads
            * (
                request.Device.Name == "cpu-512" ? 85e9
                : request.Device.Name == "cpu-256" ? 50e9
                : 20e9
            );
        var exec = request.Exec;
        double memory = MemoryPlan.Run(p, request.Device, exec);
        double other = MemoryPlan.Run(p, request.Device, exec with { Recompute = !exec.Recompute });
        var (pretrain, finetune, disk) = MemoryPlan.Checkpoints(p, exec.KeepEpochs);
        if (json)
        {
            Output.Json(
                new
                {
                    protocol = request.Protocol.Name,
                    math_hash = request.Protocol.MathHash,
                    parameters = net.Layout.ParameterCount,
                    pretrain_steps = steps,
                    finetune_steps = fineSteps,
                    flops_per_image_pretrain = cost.PretrainFlops,
                    flops_total = total,
                    memory_bytes = memory,
                    memory = exec.Recompute ? "recompute" : "keep",
                    checkpoint_bytes_pretrain = pretrain,
                    checkpoint_bytes_finetune = finetune,
                    checkpoint_disk_bytes = disk,
                    estimate_s = total / rate,
                }
            );
            return;
        }
        string F(double x, string f) => x.ToString(f, CultureInfo.InvariantCulture);
        Output.Table(
            ["what", "value"],
            [
                ["protocol", request.Protocol.Name],
                ["math_hash", request.Protocol.MathHash],
                ["origin", request.Protocol.Origin],
                ["parameters", F(net.Layout.ParameterCount, "n0")],
                [StageId.Pretrain.Name, F(steps, "n0") + " steps of " + F(p.Pretrain.Batch, "n0") + " images"],
                [
                    StageId.Finetune.Name,
                    F(fineSteps, "n0")
                        + " steps of "
                        + F(p.Finetune.Batch, "n0")
                        + " images"
                        + (supervised == 2 ? ", twice (pre-trained, scratch)" : ""),
                ],
                [
                    "FLOPs per image",
                    F(cost.PretrainFlops / 1e6, "n1")
                        + " M pre-training, "
                        + F(cost.FinetuneFlops / 1e6, "n1")
                        + " M fine-tuning (2 per multiply-add, forward and backward)",
                ],
                ["FLOPs in all", F(total / 1e12, "n1") + " T"],
                [
                    "memory",
                    F(memory / (1 << 20), "n0")
                        + $" MiB at most, activations {(exec.Recompute ? "recomputed" : "kept")}; {F(other / (1 << 20), "n0")} MiB with --memory {(exec.Recompute ? "keep" : "recompute")}",
                ],
                [
                    "checkpoints",
                    $"{F(pretrain / 1e6, "n1")} MB of pre-training, {F(finetune / 1e6, "n1")} MB of fine-tuning; {F(disk / 1e6, "n1")} MB of disk at most; no memory but a buffer of 4 MiB",
                ],
                [
                    "time estimate",
                    F(total / rate, "n0")
                        + " s on "
                        + request.Exec.Threads.ToString(CultureInfo.InvariantCulture)
                        + " threads of "
                        + request.Device.Name
                        + " (rough)",
                ],
            ]
        );
        Console.Out.WriteLine();
        Console.Out.WriteLine(Plain.Lines(request.Protocol.Toml));
    }
}
