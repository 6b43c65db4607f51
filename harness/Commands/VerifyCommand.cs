using System.CommandLine;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>verify: is a run (or checkpoint) whole, and does it agree with the committed reference?</summary>
internal static class VerifyCommand
{
    internal static Command Build()
    {
        var command = new Command("verify", "Check a run's integrity and its digests against the committed reference, or a checkpoint's integrity. Example: lut verify runs/fashion-lut@1_s0_1234abcd");
        Argument<string> target = new("run") { Description = "A run's folder or a .safetensors checkpoint" };
        Option<string?> reference = new("--reference") { Description = "Compare with this .digests file instead of the committed one" };
        Option<string?> write = new("--write-reference") { Description = "Write the run's own digests to this file (how results/reference is made)" };
        command.Arguments.Add(target);
        command.Options.Add(reference);
        command.Options.Add(write);
        command.SetAction(r => (int)Execute(r.GetValue(target)!, r.GetValue(reference), r.GetValue(write)));
        return command;
    }

    private static Exit Execute(string target, string? referencePath, string? write)
    {
        if (target.EndsWith(".safetensors", StringComparison.Ordinal)) return Checkpoint(target);
        var run = RunFolders.Find(target);
        var damage = run.Damage();
        foreach (string d in damage) Console.Out.WriteLine("damage: " + d);
        var row = run.Read(Schema.Run);
        if (row.Rows.Count == 0) throw new LutError(Exit.Store, 10, "the run did not finish", run.Folder, "it has no run table, which is written last", "resume it with `lut run ... --resume`");
        if (write is not null)
        {
            File.WriteAllLines(write, Reference.Of(run));
            Console.Out.WriteLine($"wrote {write}");
        }
        string protocol = row.Get<string>(0, "protocol");
        var lines = referencePath is not null ? File.ReadAllLines(referencePath) : Reference.Find(protocol);
        if (lines is null)
        {
            Console.Out.WriteLine($"VERDICT exact=NO-REFERENCE integrity={(damage.Count == 0 ? "ok" : "DAMAGED")} exit={(damage.Count == 0 ? 0 : (int)Exit.Negative)}");
            return damage.Count == 0 ? Exit.Ok : Exit.Negative;
        }
        var report = Reference.Compare(run, lines);
        foreach (string d in report.Details) Console.Out.WriteLine(d);
        var exit = damage.Count > 0 ? Exit.Negative : Output.ExitOf(report.Verdict);
        Console.Out.WriteLine(Output.Verdict(report, exit).Replace(" exit=", $" integrity={(damage.Count == 0 ? "ok" : "DAMAGED")} exit=", StringComparison.Ordinal));
        return exit;
    }

    private static Exit Checkpoint(string path)
    {
        var (tensors, metadata) = Safetensors.Read(path);
        string? damaged = CheckpointFile.DamagedTensor(tensors, metadata);
        if (damaged is not null) Console.Out.WriteLine($"damage: tensor {damaged} does not have the digest recorded when it was written");
        else
            try
            {
                CheckpointFile.ReadChecked(path);
            }
            catch (CheckpointException e)
            {
                Console.Out.WriteLine("damage: " + e.Message);
                damaged = "file";
            }
        Console.Out.WriteLine($"VERDICT integrity={(damaged is null ? "ok" : "DAMAGED")} tensors={tensors.Count}{(damaged is null ? "" : $" first=\"{damaged}\"")} exit={(damaged is null ? 0 : (int)Exit.Negative)}");
        return damaged is null ? Exit.Ok : Exit.Negative;
    }
}
