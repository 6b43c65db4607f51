using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Bench;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Commands;

/// <param name="Output">The file that was written.</param>
/// <param name="Digest">Of the whole state after the step.</param>
internal sealed record ExportStepResult(
    string Output,
    int Step,
    float Loss,
    float? LossRecon,
    float? LossContext,
    float GradNorm,
    double Lr,
    string Digest,
    Exit Exit
) : IVerbResult
{
    internal static void Text(ExportStepResult found) =>
        Surroundings.Output.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"step {found.Step}: loss {found.Loss:R} recon {found.LossRecon:R} context "
                    + $"{found.LossContext:R} grad_norm {found.GradNorm:R} lr {found.Lr:R} digest {found.Digest}"
            )
        );
}

/// <summary>export-step: one optimiser step as a file that another framework can repeat.</summary>
internal static class ExportStepCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "export-step",
            "Run one pre-training step and write everything that goes in and comes out. Example: lut "
                + "export-step vitb16 step.safetensors --batch 4"
        );
        var shape = command.Argument<string>(
            "shape",
            $"{string.Join(", ", BenchShape.Names)} (noise for images), or a protocol"
        );
        var output = command.Argument<string>("output", "The .safetensors to write");
        var batch = command.Int("--batch", 0, "Samples; 0 means the shape's own");
        var threads = command.Threads();
        var micro = command.Int("--micro-batch", 0, "Samples at once; 0 means a grain");
        var step = command.Int("--step", 1, "Which step, from 0; earlier ones are run too");
        var method = command.Option("--method", "lut or mae; the shape's own by default", "");
        var device = command.Device("As for run");
        var math = command.Math();
        var memory = command.Memory("keep or recompute activations");
        var data = command.Data("Folder with the data set");
        var json = command.Json();
        command.SetAction(r =>
        {
            var s = BenchShape.Find(r.GetValue(shape)!, r.GetValue(batch)).With(r.GetValue(method)!);
            var place = DeviceCatalog.Of(r.GetValue(device)!, r.GetValue(math)!);
            int count = r.GetValue(threads) is var t and > 0 ? t : Environment.ProcessorCount;
            var exec = new ExecOptions(count, r.GetValue(micro), 0, TimeSpan.MaxValue);
            exec = exec with { Recompute = MemorySetting.Recompute(r.GetValue(memory)!, s.Protocol, place, exec) };
            return Output.Print(
                Export(r.GetValue(output)!, r.GetValue(step), s, s.Images(r.GetValue(data)), place, exec),
                r.GetValue(json),
                ExportStepResult.Text
            );
        });
        return command;
    }

    private static ExportStepResult Export(
        string output,
        int step,
        BenchShape shape,
        ImageSource images,
        Device device,
        ExecOptions exec
    )
    {
        var p = shape.Protocol;
        using var pool = device.NewPool(exec.Threads);
        using var trainer = new PretrainTrainer(p, new Views(p, images), device, pool, exec);
        for (long before = 0; before < step; before++)
            trainer.Step(before);
        StepReport report;
        try
        {
            report = StepExport.Write(output, trainer, p, step);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWriteStep(output, e.Message);
        }
        string digest = Digest.Combine(trainer.Digests(pool).Select(d => (d.Tensor, d.Value))).ToString();
        return new ExportStepResult(
            output,
            step,
            report.Loss,
            report.Recon,
            report.Context,
            report.GradNorm,
            report.Lr,
            digest,
            Exit.Ok
        );
    }
}
