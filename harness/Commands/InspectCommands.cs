using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>ls and show: looking without computing.</summary>
internal static class InspectCommands
{
    internal static IEnumerable<Command> Build()
    {
        var ls = new Command("ls", "List protocols, claims and runs. Example: lut ls -o runs");
        Option<string> root = new("--output", "-o")
        {
            Description = "Folder of runs",
            DefaultValueFactory = _ => "runs",
        };
        Option<bool> lsJson = new("--json") { Description = "Print the result as one JSON object" };
        ls.Options.Add(root);
        ls.Options.Add(lsJson);
        ls.SetAction(r => (int)List(r.GetValue(root)!, r.GetResult(root) is { Implicit: false }, r.GetValue(lsJson)));
        yield return ls;

        var show = new Command("show", "Show a run: what it was, what it found. Example: lut show runs/A");
        Argument<string> run = new("run") { Description = "A run's folder, or a unique part of its name" };
        Option<bool> showJson = new("--json") { Description = "Print the result as one JSON object" };
        show.Arguments.Add(run);
        show.Options.Add(showJson);
        show.SetAction(r => (int)Show(RunFolders.Find(r.GetValue(run)!), r.GetValue(showJson)));
        yield return show;
    }

    private static Exit List(string root, bool given, bool json)
    {
        if (given && !Directory.Exists(root))
            throw new LutError(
                Exit.Usage,
                464,
                $"there is no folder {root}",
                Path.GetFullPath(root),
                "--output names a folder of runs",
                "check the path"
            );
        var runs = RunFolders.All(root).Select(d => (Folder: d, Store: new RunStore(d))).ToArray();
        if (json)
        {
            Output.Json(
                new
                {
                    protocols = ProtocolReader.BuiltIn,
                    claims = Claim.Known,
                    runs = runs.Select(r => new
                    {
                        folder = r.Folder,
                        complete = r.Store.IsComplete,
                        overrides = Overrides.Of(r.Store),
                    }),
                }
            );
            return Exit.Ok;
        }
        Output.Table(
            ["protocol", "title"],
            ProtocolReader.BuiltIn.Select(n => new[] { n, ProtocolReader.Load(n, []).Spec.Title })
        );
        Console.Out.WriteLine();
        Output.Table(["claim", "title"], Claim.Known.Select(n => new[] { n, Claim.Load(n).Title }));
        Console.Out.WriteLine();
        Output.Table(
            ["run", "state", "results", "overrides"],
            runs.Select(r =>
                new[]
                {
                    r.Folder,
                    r.Store.IsComplete ? "complete" : "unfinished",
                    string.Join(" ", Output.Evals(r.Store).Select(e => $"{e[0]}={e[2]}")),
                    string.Join("; ", ConfigDifference.First(Overrides.Of(r.Store))),
                }
            )
        );
        return Exit.Ok;
    }

    private static Exit Show(RunStore run, bool json)
    {
        var row = run.Read(Schema.Run).First;
        var host = run.Read(Schema.Hosts).First;
        var steps = run.Read(Schema.Steps).Rows;
        var facts = new List<string[]>();
        if (row is not null)
            foreach (var c in Schema.Run.Columns.Where(c => c.Type != ColumnType.Blob))
                facts.Add([c.Name, Table.Show(c.Value(row))]);
        else
            facts.Add(["status", $"unfinished, {steps.Count} steps recorded"]);
        foreach (string o in Overrides.Of(run))
            facts.Add(["override", o]);
        if (host is not null)
            facts.AddRange(
                ["os", host.Os],
                ["cpu_model", host.CpuModel],
                ["cpu_isa", host.CpuIsa],
                ["dotnet_runtime", host.DotnetRuntime]
            );
        if (steps.Count > 0)
            facts.Add([
                "last loss",
                FormattableString.Invariant($"{steps[^1].Loss:R} (0x{steps[^1].LossBits.Value:x8})"),
            ]);
        if (json)
        {
            Output.Json(
                new
                {
                    run = run.Folder,
                    facts = facts.Where(f => f[0] != "override").ToDictionary(f => f[0], f => f[1]),
                    overrides = Overrides.Of(run),
                    evals = Output
                        .Evals(run)
                        .Select(e => new
                        {
                            metric = e[0],
                            correct = e[1],
                            percent = e[2],
                        }),
                }
            );
            return Exit.Ok;
        }
        Output.Table(["what", "value"], facts);
        Console.Out.WriteLine();
        Output.Table(["metric", "correct", "percent"], Output.Evals(run));
        return Exit.Ok;
    }
}
