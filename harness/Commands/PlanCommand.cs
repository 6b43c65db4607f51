using System.CommandLine;
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
            "Show a protocol resolved: parameters, FLOPs, memory, steps and a time estimate. Nothing is run. "
                + "Examples: lut plan fashion-lut@1; lut plan imagenet-lut-vitb16@1 --device h200 --count 8; lut "
                + "plan imagenet-lut-vitl16@1 --explain pretrain.epochs"
        );
        var options = new RunOptions(command);
        var explain = command.Option<string?>(
            "--explain",
            "A key (section.name): its value, where it is written, and its source"
        );
        var count = command.Int("--count", 1, "Devices, for --device a100, h100, h200, l40s or rtx4090", 1);
        var result = command.Option<string?>(
            "--result",
            "A folder that `lut bench SHAPE -o FOLDER` wrote: plan with the images/s measured there in place "
                + "of the data sheet"
        );
        command.SetAction(r =>
        {
            bool json = r.GetValue(options.Json);
            if (r.GetValue(explain) is { } key)
                return Output.Print(Explain(options.Protocol(r), key), json, ExplainResult.Text);
            var request = options.PlanRequest(r);
            if (SheetOf(request.Device) is not { } sheet)
                return Output.Print(Plan(request), json, PlanText.Write);
            var plan = ClusterPlan.Of(request, sheet, r.GetValue(count), options.Math(r), r.GetValue(result));
            return Output.Print(plan, json, ClusterPlanText.Write);
        });
        return command;
    }

    /// <summary>The data sheet of a device that is planned and not here; null for one that computes.</summary>
    private static Hardware? SheetOf(Device device) =>
        device is CudaDevice { Name: var name } && name.StartsWith(KernelTable.Planned, StringComparison.Ordinal)
            ? Hardware.Find(name[KernelTable.Planned.Length..])
            : null;

    private static ExplainResult Explain(ResolvedProtocol protocol, string key)
    {
        var (value, where, citation) = ProtocolReader.Explain(protocol, key);
        bool assumed = citation.StartsWith("assumed", StringComparison.Ordinal);
        return new ExplainResult(key, value, where, citation, assumed, Exit.Ok);
    }

    private static PlanResult Plan(RunRequest request)
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
        var exec = request.Exec;
        var (pretrain, finetune, disk) = MemoryPlan.Checkpoints(p, exec.KeepEpochs);
        return new PlanResult(
            request.Protocol.Name,
            request.Protocol.MathHash,
            net.Layout.ParameterCount,
            steps,
            fineSteps,
            cost.PretrainFlops,
            total,
            MemoryPlan.Run(p, request.Device, exec),
            exec.Recompute ? "recompute" : "keep",
            pretrain,
            finetune,
            disk,
            total / (exec.Threads * FlopsOfACore(request.Device))
        )
        {
            Request = request,
            FlopsPerImageFinetune = cost.FinetuneFlops,
            OtherMemoryBytes = MemoryPlan.Run(p, request.Device, exec with { Recompute = !exec.Recompute }),
        };
    }

    /// <summary>
    /// FLOP/s of one core, everything included: measured with networks of the size of fashion-lut@1 on AVX-512 and AVX2
    /// cores (docs/PERFORMANCE.md); the least is what narrower vectors are taken to reach.
    /// </summary>
    private static double FlopsOfACore(Device device) =>
        device.Name switch
        {
            "cpu-512" => 85e9,
            "cpu-256" => 50e9,
            _ => 20e9,
        };
}
