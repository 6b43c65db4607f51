using LutNative.Harness.Bench;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>`lut plan` for a device that is not here, for people.</summary>
internal static class ClusterPlanText
{
    private const double Gibi = 1L << 30;

    internal static void Write(ClusterPlan plan)
    {
        var p = plan.Spec;
        string ideal = plan.Count > 1 ? "; taken as ideal: this version runs one device a run" : "";
        Output.Table(
            ["what", "value"],
            [
                ["protocol", plan.Protocol],
                ["math", plan.Math == "exact" ? p.Contract : plan.Math],
                ["devices", $"{plan.Count} x {plan.Sheet.Title}{ideal}"],
                ["parameters", plan.Parameters.Text("n0")],
                ["multiply-adds an image", MultiplyAdds(plan)],
                ["pre-training", Stage(p.Pretrain.Epochs, plan.PretrainImages, p.Pretrain.Batch, plan.PretrainFlops)],
                ["fine-tuning", Stage(p.Finetune.Epochs, plan.FinetuneImages, p.Finetune.Batch, plan.FinetuneFlops)],
                [
                    "memory by phase",
                    $"values, teacher and moments {Gib(plan.MemoryValuesBytes)}, a pre-training step "
                        + $"{Gib(plan.MemoryPretrainStepBytes)}, fine-tuning {Gib(plan.MemoryFinetuneBytes)}",
                ],
                ["memory", Memory(plan)],
                [
                    "speed a device",
                    $"{plan.PretrainImagesPerSecond.Text("n0")} images/s pre-training, "
                        + $"{plan.FinetuneImagesPerSecond.Text("n0")} fine-tuning: {Source(plan)}",
                ],
                [
                    "time",
                    $"{plan.PretrainDays.Text("f1")} days pre-training, {plan.FinetuneDays.Text("f1")} days "
                        + "fine-tuning",
                ],
                [
                    "energy",
                    $"{plan.EnergyMwh.Text("f2")} MWh at {plan.Sheet.Watts.Text("f0")} W a device, without the host",
                ],
                [
                    "images a second from disk",
                    $"{(plan.PretrainImagesPerSecond * plan.Count).Text("n0")} to decode and augment twice "
                        + "(docs/PERFORMANCE.md: images/s a core)",
                ],
            ]
        );
    }

    private static string MultiplyAdds(ClusterPlan plan)
    {
        string views = plan.TwoViews ? ", two views" : "";
        string ratio = plan.Spec.Pretrain.MaskRatio.Text("g");
        return $"{Giga(plan.MacsPerImage)} pre-training: student {Giga(plan.StudentViewMacs)} a view at mask "
            + $"ratio {ratio}{views}, decoder {Giga(plan.DecoderMacs)}, heads {Giga(plan.HeadMacs)} a view, "
            + $"each three times (forward and backward); teacher {Giga(plan.TeacherViewMacs)} a view, once";
    }

    private static string Stage(int epochs, long images, int batch, double flops) =>
        $"{epochs.Text("n0")} epochs, {(images / batch).Text("n0")} steps of {batch.Text("n0")}: "
        + $"{flops.Text("0.00e+0")} FLOP";

    private static string Memory(ClusterPlan plan)
    {
        string activations = plan.Recompute ? "recomputed" : "kept";
        string fits = plan.MemoryBytes > ClusterPlan.MostMemory * plan.Sheet.MemoryBytes ? "; it does not fit" : "";
        return $"{Gib(plan.MemoryBytes)} at most of {Gib(plan.Sheet.MemoryBytes)}: {plan.SamplesAtOnce} samples "
            + $"at once, activations {activations}{fits}";
    }

    private static string Source(ClusterPlan plan) =>
        plan.Measured
            ? $"measured, {plan.MeasuredIn}"
            : $"{(100 * ClusterPlan.Reached).Text("f0")} % of what the data sheet allows (an assumption; bench "
                + "it and pass --result)";

    private static string Giga(double macs) => (macs / 1e9).Text("f2") + " G";

    private static string Gib(double bytes) => (bytes / Gibi).Text("f1") + " GiB";
}
