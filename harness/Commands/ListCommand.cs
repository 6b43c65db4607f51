using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <param name="Overrides">What the run has set otherwise than its protocol.</param>
internal sealed record ListedRun(string Folder, bool Complete, IReadOnlyList<string> Overrides)
{
    internal required RunStore Store { get; init; }
}

/// <summary>What there is: protocols and claims of this build, runs of a folder.</summary>
internal sealed record ListResult(
    IReadOnlyList<string> Protocols,
    IReadOnlyList<string> Claims,
    IReadOnlyList<ListedRun> Runs
) : IVerbResult
{
    internal static void Text(ListResult found)
    {
        Output.Table(
            ["protocol", "title"],
            found.Protocols.Select(n => new[] { n, ProtocolReader.Load(n, []).Spec.Title })
        );
        Output.EmptyLine();
        Output.Table(["claim", "title"], found.Claims.Select(n => new[] { n, Claim.Load(n).Title }));
        Output.EmptyLine();
        Output.Table(
            ["run", "state", "results", "overrides"],
            found.Runs.Select(r =>
                new[]
                {
                    r.Folder,
                    r.Complete ? "complete" : "unfinished",
                    string.Join(" ", EvalLine.Of(r.Store).Select(e => $"{e.Metric}={e.Percent}")),
                    string.Join("; ", ConfigDifference.First(r.Overrides)),
                }
            )
        );
    }
}

/// <summary>ls: looking without computing.</summary>
internal static class ListCommand
{
    internal static Command Build()
    {
        var command = new Command("ls", "List protocols, claims and runs. Example: lut ls -o runs");
        var root = command.Output("Folder of runs", "runs");
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(
                List(r.GetValue(root)!, named: r.GetResult(root) is { Implicit: false }),
                r.GetValue(json),
                ListResult.Text
            )
        );
        return command;
    }

    /// <param name="named">Somebody named the folder: then it must be there.</param>
    private static ListResult List(string root, bool named)
    {
        if (named && !Directory.Exists(root))
            throw UsageErrors.NoRunsFolder(root);
        return new ListResult(
            ProtocolReader.BuiltIn,
            Claim.Known,
            [
                .. RunFolders
                    .All(root)
                    .Select(folder => new RunStore(folder))
                    .Select(run => new ListedRun(run.Folder, run.IsComplete, Overrides.Of(run)) { Store = run }),
            ]
        );
    }
}
