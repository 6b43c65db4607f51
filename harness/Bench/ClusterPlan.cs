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
/// <param name="MacsPerImage">Multiply-adds of pre-training, all views, forward and backward.</param>
/// <param name="StudentViewMacs">Of one forward pass of one view, as the three that follow.</param>
/// <param name="FlopsTotal">Two a multiply-add.</param>
/// <param name="Recompute">Activations are computed again in backward, for the lack of memory.</param>
/// <param name="PretrainImagesPerSecond">Of one device.</param>
/// <param name="Measured">By `lut bench`, and not taken from the data sheet.</param>
internal sealed record ClusterPlan(
    string Protocol,
    string MathHash,
    string Device,
    int Count,
    string Math,
    long Parameters,
    double MacsPerImage,
    double StudentViewMacs,
    double TeacherViewMacs,
    double DecoderMacs,
    double HeadMacs,
    double FlopsTotal,
    long MemoryValuesBytes,
    long MemoryPretrainStepBytes,
    long MemoryFinetuneBytes,
    double MemoryBytes,
    int SamplesAtOnce,
    bool Recompute,
    double PretrainImagesPerSecond,
    double FinetuneImagesPerSecond,
    bool Measured,
    double PretrainDays,
    double FinetuneDays,
    double EnergyMwh,
    Exit Exit
) : IVerbResult
{
    /// <summary>
    /// Of what a data sheet allows, this share is taken as reached: the aim of docs/GPU.md for the exact products, an
    /// assumption until a card has been measured.
    /// </summary>
    internal const double Reached = 0.7;

    /// <summary>Of a card's memory, the share that a plan fills: the driver and its context need some (assumed).</summary>
    internal const double MostMemory = 0.95;

    private const double SecondsADay = 86400;
    private const double WattsAMegawatt = 1e6;

    internal required ProtocolSpec Spec { get; init; }
    internal required Hardware Sheet { get; init; }

    /// <summary>The context loss: two views and a teacher.</summary>
    internal required bool TwoViews { get; init; }

    /// <summary>Images that pre-training and fine-tuning see, and their FLOPs in all.</summary>
    internal required long PretrainImages { get; init; }
    internal required long FinetuneImages { get; init; }
    internal required double PretrainFlops { get; init; }
    internal required double FinetuneFlops { get; init; }

    /// <summary>The benchmark's folder, or null.</summary>
    internal required string? MeasuredIn { get; init; }

    /// <param name="result">A folder of `lut bench` whose speed is taken in place of the sheet's, or null.</param>
    internal static ClusterPlan Of(RunRequest request, Hardware sheet, int count, string math, string? result)
    {
        var p = request.Protocol.Spec;
        var net = NetworkFactory.PretrainingOf(p);
        var cost = new Cost(p, net);
        long images = (long)(p.Data.TrainImages / p.Pretrain.Batch) * p.Pretrain.Batch * p.Pretrain.Epochs;
        long fine = (long)(p.Data.TrainImages / p.Finetune.Batch) * p.Finetune.Batch * p.Finetune.Epochs;
        double? measured = result is null ? null : SpeedIn(result, p, StageId.Pretrain.Name);
        double? measuredFine = result is null ? null : SpeedIn(result, p, StageId.Finetune.Name);
        double rate = measured ?? Reached * KernelTable.SheetRate(p, StageId.Pretrain.Name, sheet, math);
        double fineRate = measuredFine ?? Reached * KernelTable.SheetRate(p, StageId.Finetune.Name, sheet, math);
        double days = images / (rate * count) / SecondsADay;
        double fineDays = fine / (fineRate * count) / SecondsADay;
        double memory = MemoryPlan.Run(p, request.Device, request.Exec);
        var phases = MemoryPlan.Phases(p, request.Device, request.Exec);
        return new ClusterPlan(
            request.Protocol.Name,
            request.Protocol.MathHash,
            sheet.Name,
            count,
            math,
            net.Layout.ParameterCount,
            cost.PretrainFlops / 2,
            cost.StudentView,
            cost.TeacherView,
            cost.Decoder,
            cost.Heads,
            images * cost.PretrainFlops + fine * cost.FinetuneFlops,
            phases.Values,
            phases.Pretrain,
            phases.Finetune,
            memory,
            PretrainTrainer.PlanOf(p, request.Device, request.Exec).Samples,
            request.Exec.Recompute,
            rate,
            fineRate,
            measured is not null,
            days,
            fineDays,
            (days + fineDays) * 24 * count * sheet.Watts / WattsAMegawatt,
            Exit.Ok
        )
        {
            Spec = p,
            Sheet = sheet,
            TwoViews = net.Options.Context,
            PretrainImages = images,
            FinetuneImages = fine,
            PretrainFlops = images * cost.PretrainFlops,
            FinetuneFlops = fine * cost.FinetuneFlops,
            MeasuredIn = result,
        };
    }

    /// <summary>The median of a benchmark's blocks for this network and stage.</summary>
    private static double? SpeedIn(string folder, ProtocolSpec p, string stage)
    {
        var rows = new RunStore(folder).Read(Schema.Throughput);
        double flops = StepBench.FlopsPerImage(p, stage);
        double[] rates =
        [
            .. rows
                .Rows.Where(r => r.Stage == stage && System.Math.Abs(r.FlopsPerImage / flops - 1) < 0.01)
                .Select(r => r.ImagesPerSecond),
        ];
        if (rates.Length == 0 && stage == StageId.Pretrain.Name)
            throw NothingSelectedErrors.NoBlockOfNetwork(folder);
        return rates.Length == 0 ? null : Performance.Median(rates);
    }
}
