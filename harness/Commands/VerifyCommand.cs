using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>verify: is a run (or checkpoint) whole, and does it agree with the committed reference?</summary>
internal static class VerifyCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "verify",
            "Check a run's integrity and its digests against the committed reference, or a checkpoint's integrity. Example: lut verify runs/fashion-lut@1_s0_1234abcd"
        );
        Argument<string[]> target = new("run")
        {
            Description = "A run's folder or a .safetensors checkpoint; with --claim the runs of several seeds",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> reference = new("--reference")
        {
            Description = "Compare with this .digests file instead of the committed one",
        };
        Option<string?> write = new("--write-reference")
        {
            Description = "Write the run's own digests to this file (how results/reference is made)",
        };
        command.Arguments.Add(target);
        command.Options.Add(reference);
        command.Options.Add(write);
        Option<string?> claim = new("--claim")
        {
            Description = $"Hold the runs against a published number: {string.Join(", ", Claim.Known)}",
        };
        command.Options.Add(claim);
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Options.Add(json);
        command.SetAction(r =>
        {
            string[] targets = r.GetValue(target)!;
            if (r.GetValue(claim) is { } id)
                return (int)ClaimReportCommand.Execute(id, targets, r.GetValue(json));
            if (targets.Length > 1)
                throw new LutError(
                    Exit.Usage,
                    26,
                    "verify takes one run",
                    string.Join(", ", targets),
                    "several belong to a claim",
                    "add --claim NAME, or verify them one by one"
                );
            return (int)Execute(targets[0], r.GetValue(reference), r.GetValue(write), r.GetValue(json));
        });
        return command;
    }

    internal static Exit Execute(string target, string? referencePath, string? write, bool json)
    {
        var lines = new List<string>();
        var (verdict, exit) = target.EndsWith(".safetensors", StringComparison.Ordinal)
            ? Checkpoint(target, lines)
            : Run(RunFolders.Find(target), referencePath, write, lines);
        if (json)
            Output.Json(
                new
                {
                    target,
                    findings = lines,
                    verdict,
                    exit = (int)exit,
                }
            );
        else
        {
            foreach (string line in lines)
                Console.Out.WriteLine(line);
            Console.Out.WriteLine(verdict);
        }
        return exit;
    }

    private static (string Verdict, Exit Exit) Run(
        RunStore run,
        string? referencePath,
        string? write,
        List<string> lines
    )
    {
        if (write is not null)
        {
            if (!run.IsComplete)
                throw Unfinished(run);
            Files.WriteText(write, "the reference", string.Concat(Reference.Of(run).Select(l => l + "\n")));
            lines.Add($"wrote {write}");
        }
        return RunVerification.Of(run, referencePath is null ? null : Reference.Read(referencePath), lines);
    }

    internal static LutError Unfinished(RunStore run) =>
        new(
            Exit.Store,
            10,
            "the run did not finish",
            run.Folder,
            "it has no run table, which is written last",
            "resume it with `lut run PROTOCOL --resume FOLDER`"
        );

    private static (string Verdict, Exit Exit) Checkpoint(string path, List<string> lines)
    {
        using var file = Safetensors.Open(path);
        var proof = CheckpointFile.Prove(file);
        if (proof.Damage is not null)
            lines.Add("damage: " + proof.Damage);
        string? damaged = proof.Damage is null ? null : proof.DamagedTensor ?? "file";
        if (damaged is null && RunVerification.InItsRun(path) is { } contradiction)
        {
            lines.Add("damage: " + contradiction);
            damaged = "file";
        }
        var exit = damaged is null ? Exit.Ok : Exit.Negative;
        return (
            $"VERDICT integrity={(damaged is null ? "ok" : "DAMAGED")} tensors={file.Tensors.Count}{(damaged is null ? "" : $" first=\"{damaged}\"")} exit={(int)exit}",
            exit
        );
    }
}
