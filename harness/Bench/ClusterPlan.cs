using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Results;

namespace LutNative.Harness.Bench;

/// <summary>
/// What a published protocol takes on a cluster: arithmetic by part, memory by phase, days and energy. Speed is the
/// data sheet's for every launch of the step, times a share that kernels reach in practice, or what `lut bench`
/// measured. Several devices are taken as ideal: the plan says so.
/// </summary>
internal static class ClusterPlan
{
    // the aim of docs/GPU.md for the exact products; an assumption until a card has been measured
    private const double Reached = 0.7;

    internal static void Print(RunRequest request, Hardware sheet, int count, string math, string? result, bool json)
    {
        var p = request.Protocol.Spec;
        var net = NetworkFactory.PretrainingOf(p);
        var cost = new Cost(p, net);
        long images = (long)(p.Data.TrainImages / p.Pretrain.Batch) * p.Pretrain.Batch * p.Pretrain.Epochs;
        long fine = (long)(p.Data.TrainImages / p.Finetune.Batch) * p.Finetune.Batch * p.Finetune.Epochs;
        double? measured = result is null ? null : Measured(result, request.Protocol.Spec, StageId.Pretrain.Name);
        double? measuredFine = result is null ? null : Measured(result, p, StageId.Finetune.Name);
        double rate = measured ?? Reached * KernelTable.SheetRate(p, StageId.Pretrain.Name, sheet, math);
        double fineRate = measuredFine ?? Reached * KernelTable.SheetRate(p, StageId.Finetune.Name, sheet, math);
        double days = images / (rate * count) / 86400;
        double fineDays = fine / (fineRate * count) / 86400;
        double megawattHours = (days + fineDays) * 24 * count * sheet.Watts / 1e6;
        double memory = MemoryPlan.Run(p, request.Device, request.Exec);
        var phases = MemoryPlan.Phases(p, request.Device, request.Exec);
        if (json)
        {
            Output.Json(
                new
                {
                    protocol = request.Protocol.Name,
                    math_hash = request.Protocol.MathHash,
                    device = sheet.Name,
                    count,
                    math,
                    parameters = net.Layout.ParameterCount,
                    macs_per_image = cost.PretrainFlops / 2,
                    student_view_macs = cost.StudentView,
                    teacher_view_macs = cost.TeacherView,
                    decoder_macs = cost.Decoder,
                    head_macs = cost.Heads,
                    flops_total = images * cost.PretrainFlops + fine * cost.FinetuneFlops,
                    memory_values_bytes = phases.Values,
                    memory_pretrain_step_bytes = phases.Pretrain,
                    memory_finetune_bytes = phases.Finetune,
                    memory_bytes = memory,
                    samples_at_once = PretrainTrainer.PlanOf(p, request.Device, request.Exec).Samples,
                    recompute = request.Exec.Recompute,
                    pretrain_images_per_second = rate,
                    finetune_images_per_second = fineRate,
                    measured = measured is not null,
                    pretrain_days = days,
                    finetune_days = fineDays,
                    energy_mwh = megawattHours,
                    exit = 0,
                }
            );
            return;
        }
        static string F(double x, string f) => x.ToString(f, CultureInfo.InvariantCulture);
        static string G(double macs) => F(macs / 1e9, "f2") + " G";
        static string Gib(double bytes) => F(bytes / (1L << 30), "f1") + " GiB";
        string source = measured is null
            ? FormattableString.Invariant(
                $"{100 * Reached:f0} % of what the data sheet allows (an assumption; bench it and pass --result)"
            )
            : $"measured, {result}";
        Output.Table(
            ["what", "value"],
            [
                ["protocol", request.Protocol.Name],
                ["math", math == "exact" ? p.Contract : math],
                [
                    "devices",
                    $"{count} x {sheet.Title}{(count > 1 ? "; taken as ideal: this version runs one device a run" : "")}",
                ],
                ["parameters", F(net.Layout.ParameterCount, "n0")],
                [
                    "multiply-adds an image",
                    $"{G(cost.PretrainFlops / 2)} pre-training: student {G(cost.StudentView)} a view at mask ratio {F(p.Pretrain.MaskRatio, "g")}{(net.Options.Context ? ", two views" : "")}, decoder {G(cost.Decoder)}, heads {G(cost.Heads)} a view, each three times (forward and backward); teacher {G(cost.TeacherView)} a view, once",
                ],
                [
                    "pre-training",
                    $"{F(p.Pretrain.Epochs, "n0")} epochs, {F(images / p.Pretrain.Batch, "n0")} steps of {F(p.Pretrain.Batch, "n0")}: {F(images * cost.PretrainFlops, "0.00e+0")} FLOP",
                ],
                [
                    "fine-tuning",
                    $"{F(p.Finetune.Epochs, "n0")} epochs, {F(fine / p.Finetune.Batch, "n0")} steps of {F(p.Finetune.Batch, "n0")}: {F(fine * cost.FinetuneFlops, "0.00e+0")} FLOP",
                ],
                [
                    "memory by phase",
                    $"values, teacher and moments {Gib(phases.Values)}, a pre-training step {Gib(phases.Pretrain)}, fine-tuning {Gib(phases.Finetune)}",
                ],
                [
                    "memory",
                    $"{Gib(memory)} at most of {Gib(sheet.MemoryBytes)}: {PretrainTrainer.PlanOf(p, request.Device, request.Exec).Samples} samples at once, activations {(request.Exec.Recompute ? "recomputed" : "kept")}{(memory > 0.95 * sheet.MemoryBytes ? "; it does not fit" : "")}",
                ],
                ["speed a device", $"{F(rate, "n0")} images/s pre-training, {F(fineRate, "n0")} fine-tuning: {source}"],
                ["time", $"{F(days, "f1")} days pre-training, {F(fineDays, "f1")} days fine-tuning"],
                ["energy", $"{F(megawattHours, "f2")} MWh at {F(sheet.Watts, "f0")} W a device, without the host"],
                [
                    "images a second from disk",
                    F(rate * count, "n0") + " to decode and augment twice (docs/PERFORMANCE.md: images/s a core)",
                ],
            ]
        );
    }

    /// <summary>The median of a benchmark's blocks for this network and stage.</summary>
    private static double? Measured(string folder, ProtocolSpec p, string stage)
    {
        var rows = new RunStore(folder).Read(Schema.Throughput);
        double flops = StepBench.FlopsPerImage(p, stage);
        double[] rates =
        [
            .. rows
                .Rows.Where(r => r.Stage == stage && Math.Abs(r.FlopsPerImage / flops - 1) < 0.01)
                .Select(r => r.ImagesPerSecond),
        ];
        if (rates.Length == 0 && stage == StageId.Pretrain.Name)
            throw new LutError(
                Exit.NothingSelected,
                5,
                "the benchmark has no block of this network",
                folder,
                "rows are found by stage and by FLOPs of an image",
                "run lut bench with this protocol, or vitb16, and -o " + folder
            );
        return rates.Length == 0 ? null : Performance.Median(rates);
    }
}
