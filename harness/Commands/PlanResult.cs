using LutNative.Harness.Experiments;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>What a protocol would cost on a device that is here.</summary>
/// <param name="FlopsPerImagePretrain">Two a multiply-add, forward and backward.</param>
/// <param name="FlopsTotal">Of all stages.</param>
/// <param name="MemoryBytes">At most.</param>
/// <param name="Memory">What becomes of activations: keep or recompute.</param>
/// <param name="CheckpointDiskBytes">At most, of all checkpoints that lie there at once.</param>
/// <param name="EstimateS">Seconds, roughly.</param>
internal sealed record PlanResult(
    string Protocol,
    string MathHash,
    long Parameters,
    long PretrainSteps,
    long FinetuneSteps,
    double FlopsPerImagePretrain,
    double FlopsTotal,
    double MemoryBytes,
    string Memory,
    long CheckpointBytesPretrain,
    long CheckpointBytesFinetune,
    long CheckpointDiskBytes,
    double EstimateS
) : IVerbResult
{
    internal required RunRequest Request { get; init; }
    internal required double FlopsPerImageFinetune { get; init; }

    /// <summary>With the other setting of --memory.</summary>
    internal required double OtherMemoryBytes { get; init; }
}

/// <summary>`lut plan` for people, and the protocol's text below it.</summary>
internal static class PlanText
{
    private const double Mebi = 1 << 20;

    internal static void Write(PlanResult plan)
    {
        var request = plan.Request;
        var p = request.Protocol.Spec;
        string twice = p.Baselines.Scratch ? ", twice (pre-trained, scratch)" : "";
        Output.Table(
            ["what", "value"],
            [
                ["protocol", plan.Protocol],
                ["math_hash", plan.MathHash],
                ["origin", request.Protocol.Origin],
                ["parameters", plan.Parameters.Text("n0")],
                [
                    StageId.Pretrain.Name,
                    $"{plan.PretrainSteps.Text("n0")} steps of {p.Pretrain.Batch.Text("n0")} images",
                ],
                [
                    StageId.Finetune.Name,
                    $"{plan.FinetuneSteps.Text("n0")} steps of {p.Finetune.Batch.Text("n0")} images{twice}",
                ],
                [
                    "FLOPs per image",
                    $"{Mega(plan.FlopsPerImagePretrain)} M pre-training, {Mega(plan.FlopsPerImageFinetune)} M "
                        + "fine-tuning (2 per multiply-add, forward and backward)",
                ],
                ["FLOPs in all", $"{(plan.FlopsTotal / 1e12).Text("n1")} T"],
                ["memory", Memory(plan)],
                [
                    "checkpoints",
                    $"{Mega(plan.CheckpointBytesPretrain)} MB of pre-training, "
                        + $"{Mega(plan.CheckpointBytesFinetune)} MB of fine-tuning; {Mega(plan.CheckpointDiskBytes)} "
                        + "MB of disk at most; no memory but a buffer of 4 MiB",
                ],
                [
                    "time estimate",
                    $"{plan.EstimateS.Text("n0")} s on {request.Exec.Threads.Text()} threads of "
                        + $"{request.Device.Name} (rough)",
                ],
            ]
        );
        Output.EmptyLine();
        Output.Page(request.Protocol.Toml);
    }

    private static string Mega(double x) => (x / 1e6).Text("n1");

    private static string Memory(PlanResult plan)
    {
        var (now, other) = plan.Request.Exec.Recompute ? ("recomputed", "keep") : ("kept", "recompute");
        return $"{(plan.MemoryBytes / Mebi).Text("n0")} MiB at most, activations {now}; "
            + $"{(plan.OtherMemoryBytes / Mebi).Text("n0")} MiB with --memory {other}";
    }
}
