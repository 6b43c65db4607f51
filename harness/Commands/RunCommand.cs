using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>run, pretrain, finetune and eval: a whole protocol, or one stage of it.</summary>
internal static class RunCommand
{
    internal static IEnumerable<Command> Build(CancellationToken stop)
    {
        yield return Make(
            "run",
            "Run a whole protocol: pre-train, evaluate, record, and verify against the committed "
                + "reference. Example: lut run fashion-lut@1",
            StageId.All,
            checkpoint: false,
            stop
        );
        yield return Make(
            StageId.Pretrain.Name,
            "Only pre-train, from the seed or from published weights. Example: lut pretrain fashion-mae@1",
            [StageId.Pretrain],
            checkpoint: null,
            stop
        );
        yield return Make(
            StageId.Finetune.Name,
            "Fine-tune from a pre-training checkpoint and evaluate. Example: lut finetune fashion-lut@1 "
                + "--checkpoint X.safetensors",
            [StageId.Finetune],
            checkpoint: true,
            stop
        );
        yield return Make(
            "eval",
            "k-NN and linear probes of a pre-training checkpoint. Example: lut eval fashion-lut@1 "
                + "--checkpoint X.safetensors",
            [StageId.Knn, StageId.Probe, StageId.Linprobe],
            checkpoint: true,
            stop
        );
    }

    /// <param name="checkpoint">Whether it begins with weights from outside; null where it may.</param>
    private static Command Make(
        string name,
        string description,
        IReadOnlyList<StageId> stages,
        bool? checkpoint,
        CancellationToken stop
    )
    {
        var command = new Command(name, description);
        var options = new RunOptions(command);
        var from = new Option<string?>("--checkpoint")
        {
            Description =
                "Pre-trained weights: a checkpoint of ours, or .safetensors, .pth, .pt with the names of "
                + "MAE, LUT, timm or Hugging Face (docs/CHECKPOINTS.md)",
            Required = checkpoint == true,
        };
        var which = new Option<string>("--which")
        {
            Description =
                "Which set of a checkpoint that holds several: model, model_ema, teacher, ...; by default "
                + "the student's",
            DefaultValueFactory = _ => "",
        };
        if (checkpoint != false)
            foreach (Option o in new Option[] { from, which })
                command.Options.Add(o);
        command.SetAction(r =>
        {
            var request = options.Request(r, stages, checkpoint != false ? r.GetValue(from) : null) with
            {
                Which = checkpoint != false ? r.GetValue(which)! : "",
            };
            if (r.GetValue(options.Once) && RunFolders.Newest(request) is { } known)
            {
                if (known.IsComplete)
                    return Known(known, r.GetValue(options.Json));
                request = request with { ResumeFolder = known.Folder };
            }
            return Execute(request, r.GetValue(options.Json), stop);
        });
        return command;
    }

    private static int Known(RunStore run, bool json)
    {
        new Progress(quiet: false).Say($"{run.Folder} is complete: nothing is computed, it is verified");
        return VerifyCommand.Print(run.Folder, null, null, json);
    }

    private static int Execute(RunRequest request, bool json, CancellationToken stop)
    {
        RunStore run;
        try
        {
            run = Runner.Run(request, stop);
        }
        catch (CudaException e) when (e.Code == CudaResult.OutOfMemory)
        {
            throw MemoryPlan.TooLittle(request, e);
        }
        bool whole = request.Stages.Count == StageId.All.Count && !request.Protocol.Modified;
        var reference = whole ? Reference.Find(request.Protocol.Name) : null;
        var report = reference is null ? null : Reference.Compare(run, reference);
        // another seed has other digests: there is nothing to compare with
        if (report?.Verdict == ExactVerdict.Incomparable)
            report = null;
        var exit = report is null ? Exit.Ok : ExactVerdicts.ExitOf(report.Verdict);
        return Output.Print(
            new RunResult(
                run.Folder,
                request.Protocol.Name,
                request.Protocol.MathHash,
                EvalLine.Of(run),
                report is null ? "VERDICT exact=NO-REFERENCE exit=0" : ExactVerdicts.Line(report, exit),
                exit
            )
            {
                Differences = report?.Verdict == ExactVerdict.Diverged ? report.Details : [],
            },
            json,
            RunResult.Text
        );
    }
}
