using System.CommandLine;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>What a run was, and what it found.</summary>
/// <param name="Run">Its folder.</param>
/// <param name="Facts">Of the run, its machine and its last step, by the columns' names, in their order.</param>
/// <param name="Overrides">What it has set otherwise than its protocol.</param>
internal sealed record ShowResult(
    string Run,
    IReadOnlyDictionary<string, string> Facts,
    IReadOnlyList<string> Overrides,
    IReadOnlyList<EvalLine> Evals
) : IVerbResult
{
    /// <summary>Facts before the overrides; the machine and the last step come after them.</summary>
    internal required int OfRun { get; init; }

    internal static void Text(ShowResult found)
    {
        var facts = found.Facts.Select(f => new[] { f.Key, f.Value }).ToList();
        Output.Table(
            ["what", "value"],
            [
                .. facts.Take(found.OfRun),
                .. found.Overrides.Select(o => new[] { "override", o }),
                .. facts.Skip(found.OfRun),
            ]
        );
        Output.EmptyLine();
        EvalLine.Table(found.Evals);
    }
}

/// <summary>show: a run, without computing.</summary>
internal static class ShowCommand
{
    private static readonly string[] OfHost = ["os", "cpu_model", "cpu_isa", "dotnet_runtime"];

    internal static Command Build()
    {
        var command = new Command("show", "Show a run: what it was, what it found. Example: lut show runs/A");
        var run = command.Argument<string>("run", "A run's folder, or a unique part of its name");
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(Show(RunFolders.Find(r.GetValue(run)!)), r.GetValue(json), ShowResult.Text)
        );
        return command;
    }

    private static ShowResult Show(RunStore run)
    {
        Table row = run.Read(Schema.Run);
        Table host = run.Read(Schema.Hosts);
        Table steps = run.Read(Schema.Steps);
        var facts = new OrderedDictionary<string, string>();
        if (row.Rows.Count > 0)
            foreach (var c in Schema.Run.Columns.Where(c => c.Type != ColumnType.Blob))
                facts.Add(c.Name, Table.Show(row.Rows[0][Schema.Run.IndexOf(c.Name)]));
        else
            facts.Add("status", $"unfinished, {steps.Rows.Count} steps recorded");
        int ofRun = facts.Count;
        if (host.Rows.Count > 0)
            foreach (string c in OfHost)
                facts.Add(c, host.Get<string>(0, c));
        if (steps.Rows.Count > 0)
            facts.Add(
                "last loss",
                FormattableString.Invariant(
                    $"{steps.Get<float>(steps.Rows.Count - 1, "loss"):R} (0x{steps.Get<uint>(steps.Rows.Count - 1, "loss_bits"):x8})"
                )
            );
        return new ShowResult(run.Folder, facts, Overrides.Of(run), EvalLine.Of(run)) { OfRun = ofRun };
    }
}
