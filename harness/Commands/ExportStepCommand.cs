using System.CommandLine;
using LutNative.Harness.Bench;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Numerics;
using LutNative.Model.Threads;

namespace LutNative.Harness.Commands;

/// <summary>export-step: one optimiser step as a file that another framework can repeat.</summary>
internal static class ExportStepCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "export-step",
            "Run one pre-training step and write everything that goes in and comes out. Example: lut export-step vitb16 step.safetensors --batch 4"
        );
        Argument<string> shape = new("shape")
        {
            Description = $"{string.Join(", ", BenchShape.Names)} (noise for images), or a protocol",
        };
        Argument<string> output = new("output") { Description = "The .safetensors to write" };
        Option<int> batch = Numbers.Int("--batch", 0, "Samples; 0 means the shape's own");
        Option<int> threads = Numbers.Int(
            "--threads",
            0,
            "Compute threads; 0 means one a core",
            most: Numbers.MostThreads
        );
        Option<int> micro = Numbers.Int("--micro-batch", 0, "Samples at once; 0 means a grain");
        Option<int> step = Numbers.Int("--step", 1, "Which step, from 0; earlier ones are run too");
        Option<string> method = new("--method")
        {
            Description = "lut or mae; the shape's own by default",
            DefaultValueFactory = _ => "",
        };
        Option<string> device = new("--device") { Description = "As for run", DefaultValueFactory = _ => "cpu" };
        Option<string> memory = new("--memory")
        {
            Description = "keep or recompute activations",
            DefaultValueFactory = _ => "keep",
        };
        Option<string?> data = new("--data") { Description = "Folder with the data set" };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Arguments.Add(shape);
        command.Arguments.Add(output);
        Option<string> math = RunOptions.MathOption();
        foreach (Option o in new Option[] { batch, threads, micro, step, method, device, math, memory, data, json })
            command.Options.Add(o);
        command.SetAction(r =>
        {
            var s = BenchShape.Find(r.GetValue(shape)!, r.GetValue(batch));
            var p = s.Protocol;
            if (r.GetValue(method) is { Length: > 0 } m)
                p = p with { Pretrain = p.Pretrain with { Method = m } };
            var place = DeviceCatalog.Of(r.GetValue(device)!, r.GetValue(math)!);
            int count = r.GetValue(threads) is var t and > 0 ? t : Environment.ProcessorCount;
            var exec = new ExecOptions(count, r.GetValue(micro), 0, TimeSpan.MaxValue);
            exec = exec with { Recompute = MemorySetting.Recompute(r.GetValue(memory)!, p, place, exec) };
            using var pool = new Pool(Math.Min(count, place.MostThreads));
            using var trainer = new PretrainTrainer(p, new Views(p, s.Images(r.GetValue(data))), place, pool, exec);
            for (long before = 0; before < r.GetValue(step); before++)
                trainer.Step(before);
            StepReport report;
            try
            {
                report = StepExport.Write(r.GetValue(output)!, trainer, p, r.GetValue(step));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LutError(
                    Exit.Store,
                    12,
                    "cannot write the step",
                    Path.GetFullPath(r.GetValue(output)!),
                    e.Message,
                    "free some space or choose another place"
                );
            }
            string digest = Digest.Combine(trainer.Digests(pool).Select(d => (d.Tensor, d.Value))).ToString();
            if (r.GetValue(json))
                Output.Json(
                    new
                    {
                        output = r.GetValue(output),
                        step = r.GetValue(step),
                        loss = report.Loss,
                        loss_recon = report.Recon,
                        loss_context = report.Context,
                        grad_norm = report.GradNorm,
                        lr = report.Lr,
                        digest,
                        exit = 0,
                    }
                );
            else
                Console.Out.WriteLine(
                    FormattableString.Invariant(
                        $"step {r.GetValue(step)}: loss {report.Loss:R} recon {report.Recon:R} context {report.Context:R} grad_norm {report.GradNorm:R} lr {report.Lr:R} digest {digest}"
                    )
                );
            return 0;
        });
        return command;
    }
}
