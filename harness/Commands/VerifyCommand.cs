using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <param name="Target">A run's folder or a checkpoint.</param>
internal sealed record VerifyResult(string Target, IReadOnlyList<string> Findings, string Verdict, Exit Exit)
    : IVerbResult
{
    internal static void Text(VerifyResult found)
    {
        Output.Lines(found.Findings);
        Output.Line(found.Verdict);
    }
}

/// <summary>verify: is a run (or checkpoint) whole, and does it agree with the committed reference?</summary>
internal static class VerifyCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "verify",
            "Check a run's integrity and its digests against the committed reference, or a checkpoint's "
                + "integrity. Example: lut verify runs/fashion-lut@1_s0_1234abcd"
        );
        var target = command.Argument<string[]>(
            "run",
            "A run's folder or a .safetensors checkpoint; with --claim the runs of several seeds",
            ArgumentArity.OneOrMore
        );
        var reference = command.Option<string?>(
            "--reference",
            "Compare with this .digests file instead of the committed one"
        );
        var write = command.Option<string?>(
            "--write-reference",
            "Write the run's own digests to this file (how results/reference is made)"
        );
        var claim = command.Option<string?>(
            "--claim",
            $"Hold the runs against a published number: {string.Join(", ", Claim.Known)}"
        );
        var json = command.Json();
        command.SetAction(r =>
        {
            string[] targets = r.GetValue(target)!;
            if (r.GetValue(claim) is { } id)
                return Output.Print(ClaimVerification.Of(id, targets), r.GetValue(json), ClaimText.Write);
            if (targets.Length > 1)
                throw UsageErrors.OneRunAtATime(targets);
            return Print(targets[0], r.GetValue(reference), r.GetValue(write), r.GetValue(json));
        });
        return command;
    }

    /// <param name="reference">A file of digests in place of the committed one, or null.</param>
    /// <param name="write">A file to write the run's own digests to, or null.</param>
    internal static int Print(string target, string? reference, string? write, bool json) =>
        Output.Print(Verify(target, reference, write), json, VerifyResult.Text);

    private static VerifyResult Verify(string target, string? reference, string? write)
    {
        var lines = new List<string>();
        var (verdict, exit) = target.EndsWith(".safetensors", StringComparison.Ordinal)
            ? Checkpoint(target, lines)
            : Run(RunFolders.Find(target), reference, write, lines);
        return new VerifyResult(target, lines, verdict, exit);
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

    internal static LutError Unfinished(RunStore run) => RunStoreErrors.Unfinished(run.Folder);

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
        string integrity = damaged is null ? "ok" : "DAMAGED";
        string first = damaged is null ? "" : $" first=\"{damaged}\"";
        return ($"VERDICT integrity={integrity} tensors={file.Tensors.Count}{first} exit={(int)exit}", exit);
    }
}
