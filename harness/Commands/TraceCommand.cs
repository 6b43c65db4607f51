using System.CommandLine;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>
/// trace A B: which of two runs is wrong where they part first, in which operation, and what explains its bits.
/// </summary>
internal static class TraceCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "trace",
            "Run the first step that two runs do not share again, here, operation by operation: which run is wrong, where, and what explains its bits. Example: lut trace runs/a runs/b"
        );
        Argument<string> a = new("A") { Description = "A run's folder" };
        Argument<string> b = new("B") { Description = "The other one" };
        Option<string> device = new("--device")
        {
            Description = "cpu, cpu-512, cpu-256, cpu-128, oracle",
            DefaultValueFactory = _ => "cpu",
        };
        Option<string?> data = new("--data") { Description = "Folder with the data set's original files" };
        Option<string?> output = new("--output", "-o")
        {
            Description =
                "Also write the step's operations to this folder (table operations), to compare with another machine's",
        };
        Option<string?> checkpoint = new("--checkpoint")
        {
            Description = "The weights from outside that the runs began with, as they were given to finetune",
        };
        Option<string> which = new("--which") { Description = "Which set of that file", DefaultValueFactory = _ => "" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on standard error" };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Arguments.Add(a);
        command.Arguments.Add(b);
        foreach (Option o in new Option[] { device, data, output, checkpoint, which, quiet, json })
            command.Options.Add(o);
        command.SetAction(r =>
            (int)Execute(
                RunFolders.Find(r.GetValue(a)!),
                RunFolders.Find(r.GetValue(b)!),
                r.GetValue(device)!,
                r.GetValue(data),
                r.GetValue(output),
                r.GetValue(checkpoint) is { } weights ? new OuterWeightsFile(weights, r.GetValue(which)!) : null,
                r.GetValue(quiet),
                r.GetValue(json)
            )
        );
        return command;
    }

    private static Exit Execute(
        RunStore a,
        RunStore b,
        string deviceName,
        string? data,
        string? output,
        OuterWeightsFile? weights,
        bool quiet,
        bool json
    )
    {
        var on = DeviceCatalog.Of(deviceName, "exact");
        if (!on.OnHost)
            throw UsageErrors.TracedOnCpu(deviceName);
        var compared = Comparison.Exact(a, b);
        var exit = Output.ExitOf(compared.Verdict);
        if (compared.At is not { } at)
        {
            string verdict = Output.Verdict(compared, exit);
            if (json)
                Output.Json(
                    new
                    {
                        verdict,
                        trace = (object?)null,
                        exit = (int)exit,
                    }
                );
            else
                Console.Out.WriteLine($"no step differs: there is nothing to trace\n{verdict}");
            return exit;
        }
        var report = Trace.Run(a, b, at, on, data, new Progress(quiet).Say, weights);
        if (output is not null)
            Write(output, report);
        string wrong = (report.A.Agrees, report.B.Agrees) switch
        {
            (true, false) => "B",
            (false, true) => "A",
            (false, false) => "BOTH",
            _ => "NEITHER",
        };
        string line = FormattableString.Invariant(
            $"VERDICT trace={wrong} stage={report.Stage} step={report.Step} explained={(Suspects(report).All(s => s.Explanation is not null) ? "yes" : "no")} exit={(int)exit}"
        );
        if (json)
            Output.Json(
                new
                {
                    verdict = line,
                    first = compared.First,
                    stage = report.Stage,
                    step = report.Step,
                    from = report.From,
                    source = report.Source,
                    a = report.A,
                    b = report.B,
                    operations = report.Operations.Count,
                    exit = (int)exit,
                }
            );
        else
        {
            Output.Line("first difference: " + compared.First);
            Output.Line(
                FormattableString.Invariant(
                    $"this machine ran {report.Stage} from step {report.From} ({report.Source}) to step {report.Step}: {report.Operations.Count} operations in it"
                )
            );
            foreach (var (name, side) in new[] { ("A", report.A), ("B", report.B) })
            {
                Output.Line(
                    $"{name} {side.Run}: {(side.Agrees ? "this machine gives its bits" : "this machine gives other bits: " + side.Differs)}"
                );
                if (side.Agrees)
                    continue;
                Output.Line(
                    "  explanation: "
                        + (
                            side.Explanation
                            ?? "none of what was tried: one changed element, or one operation's sums, fusing, TF32, flushing"
                        )
                );
                if (side.At is not null)
                    Output.Line("  parts at:    " + side.At);
                if (side.Element is not null)
                    Output.Line("  element:     here and there " + side.Element);
                if (side.Explanation is null && side.At is null)
                    Output.Line(
                        FormattableString.Invariant(
                            $"  next:        on the machine of {name}, run it again with --trace-step {report.Step} (or this trace with -o), and compare the operations"
                        )
                    );
            }
            Output.Line(line);
        }
        return exit;
    }

    private static IEnumerable<TraceSide> Suspects(TraceReport r) => new[] { r.A, r.B }.Where(s => !s.Agrees);

    private static void Write(string folder, TraceReport report)
    {
        string id = Guid.CreateVersion7().ToString();
        var table = new Table<OperationRow>(
            report.Operations.Select(o => Recorder.RowOf(new RunId(id), report.Stage, report.Step, o))
        );
        RunStore
            .Create(folder)
            .Commit(
                [table],
                new Dictionary<string, string> { ["lut.run_id"] = id, ["lut.writer"] = "lut " + LutVersion.Text }
            );
    }
}
