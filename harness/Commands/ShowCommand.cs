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
        var row = run.Read(Schema.Run).First;
        var host = run.Read(Schema.Hosts).First;
        var steps = run.Read(Schema.Steps).Rows;
        var facts = new OrderedDictionary<string, string>();
        if (row is not null)
            foreach (var c in Schema.Run.Columns.Where(c => c.Type != ColumnType.Blob))
                facts.Add(c.Name, Table.Show(c.Value(row)));
        else
            facts.Add("status", $"unfinished, {steps.Count} steps recorded");
        int ofRun = facts.Count;
        if (host is not null)
        {
            facts.Add("os", host.Os);
            facts.Add("cpu_model", host.CpuModel);
            facts.Add("cpu_isa", host.CpuIsa);
            facts.Add("dotnet_runtime", host.DotnetRuntime);
        }
        if (steps.Count > 0)
            facts.Add(
                "last loss",
                FormattableString.Invariant($"{steps[^1].Loss:R} (0x{steps[^1].LossBits.Value:x8})")
            );
        return new ShowResult(run.Folder, facts, Overrides.Of(run), EvalLine.Of(run)) { OfRun = ofRun };
    }
}
