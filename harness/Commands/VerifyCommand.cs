using System.CommandLine;
using LutNative.Harness.Protocol;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>verify: is a run (or checkpoint) whole, and does it agree with the committed reference?</summary>
internal static class VerifyCommand
{
    internal static Command Build()
    {
        var command = new Command("verify", "Check a run's integrity and its digests against the committed reference, or a checkpoint's integrity. Example: lut verify runs/fashion-lut@1_s0_1234abcd");
        Argument<string[]> target = new("run") { Description = "A run's folder or a .safetensors checkpoint; with --claim the runs of several seeds", Arity = ArgumentArity.OneOrMore };
        Option<string?> reference = new("--reference") { Description = "Compare with this .digests file instead of the committed one" };
        Option<string?> write = new("--write-reference") { Description = "Write the run's own digests to this file (how results/reference is made)" };
        command.Arguments.Add(target);
        command.Options.Add(reference);
        command.Options.Add(write);
        Option<string?> claim = new("--claim") { Description = $"Hold the runs against a published number: {string.Join(", ", Claim.Known)}" };
        command.Options.Add(claim);
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Options.Add(json);
        command.SetAction(r =>
        {
            string[] targets = r.GetValue(target)!;
            if (r.GetValue(claim) is { } id) return (int)ClaimReportCommand.Execute(id, targets, r.GetValue(json));
            if (targets.Length > 1) throw new LutError(Exit.Usage, 26, "verify takes one run", string.Join(", ", targets), "several belong to a claim", "add --claim NAME, or verify them one by one");
            return (int)Execute(targets[0], r.GetValue(reference), r.GetValue(write), r.GetValue(json));
        });
        return command;
    }

    private static Exit Execute(string target, string? referencePath, string? write, bool json)
    {
        var lines = new List<string>();
        var (verdict, exit) = target.EndsWith(".safetensors", StringComparison.Ordinal) ? Checkpoint(target, lines) : Run(RunFolders.Find(target), referencePath, write, lines);
        if (json) Output.Json(new { target, findings = lines, verdict, exit = (int)exit });
        else
        {
            foreach (string line in lines) Console.Out.WriteLine(line);
            Console.Out.WriteLine(verdict);
        }
        return exit;
    }

    private static (string Verdict, Exit Exit) Run(RunStore run, string? referencePath, string? write, List<string> lines)
    {
        var damage = run.Damage();
        lines.AddRange(damage.Select(d => "damage: " + d));
        string integrity = $" integrity={(damage.Count == 0 ? "ok" : "DAMAGED")} exit=";
        var row = run.Read(Schema.Run);
        if (row.Rows.Count == 0) throw Unfinished(run);
        if (write is not null)
        {
            Files.WriteText(write, "the reference", string.Concat(Reference.Of(run).Select(l => l + "\n")));
            lines.Add($"wrote {write}");
        }
        var reference = referencePath is not null ? Files.ReadLines(referencePath, "the reference", Exit.Store) : Reference.Find(row.Get<string>(0, "protocol"));
        var exit = damage.Count == 0 ? Exit.Ok : Exit.Negative;
        if (reference is null) return ($"VERDICT exact=NO-REFERENCE{integrity}{(int)exit}", exit);
        var report = Reference.Compare(run, reference);
        lines.AddRange(report.Details);
        if (damage.Count == 0) exit = Output.ExitOf(report.Verdict);
        return (Output.Verdict(report, exit).Replace(" exit=", integrity, StringComparison.Ordinal), exit);
    }

    internal static LutError Unfinished(RunStore run) =>
        new(Exit.Store, 10, "the run did not finish", run.Folder, "it has no run table, which is written last", "resume it with `lut run PROTOCOL --resume FOLDER`");

    private static (string Verdict, Exit Exit) Checkpoint(string path, List<string> lines)
    {
        var (tensors, metadata) = Safetensors.Read(path);
        string? damaged = CheckpointFile.DamagedTensor(tensors, metadata);
        if (damaged is not null) lines.Add($"damage: tensor {damaged} does not have the digest recorded when it was written");
        else
            try
            {
                CheckpointFile.ReadChecked(path);
            }
            catch (CheckpointException e)
            {
                lines.Add("damage: " + e.Message);
                damaged = "file";
            }
        var exit = damaged is null ? Exit.Ok : Exit.Negative;
        return ($"VERDICT integrity={(damaged is null ? "ok" : "DAMAGED")} tensors={tensors.Count}{(damaged is null ? "" : $" first=\"{damaged}\"")} exit={(int)exit}", exit);
    }
}
