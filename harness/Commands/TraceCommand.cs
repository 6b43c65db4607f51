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
            "Run the first step that two runs do not share again, here, operation by operation: which run is "
                + "wrong, where, and what explains its bits. Example: lut trace runs/a runs/b"
        );
        var a = command.Argument<string>("A", "A run's folder");
        var b = command.Argument<string>("B", "The other one");
        var device = command.Device("cpu, cpu-512, cpu-256, cpu-128, oracle");
        var data = command.Data();
        var output = command.Output(
            "Also write the step's operations to this folder (table operations), to compare with another machine's"
        );
        var checkpoint = command.Option<string?>(
            "--checkpoint",
            "The weights from outside that the runs began with, as they were given to finetune"
        );
        var which = command.Which("Which set of that file");
        var quiet = command.Quiet();
        var json = command.Json();
        command.SetAction(r =>
        {
            var found = Find(
                RunFolders.Find(r.GetValue(a)!),
                RunFolders.Find(r.GetValue(b)!),
                r.GetValue(device)!,
                r.GetValue(data),
                r.GetValue(checkpoint) is { } weights ? new OuterWeightsFile(weights, r.GetValue(which)!) : null,
                new Progress(r.GetValue(quiet))
            );
            if (found is not TraceResult traced)
                return Output.Print((NothingToTrace)found, r.GetValue(json), NothingToTrace.Text);
            if (r.GetValue(output) is { } folder)
                Write(folder, traced.Report);
            return Output.Print(traced, r.GetValue(json), TraceText.Write);
        });
        return command;
    }

    private static IVerbResult Find(
        RunStore a,
        RunStore b,
        string deviceName,
        string? data,
        OuterWeightsFile? weights,
        Progress progress
    )
    {
        var on = DeviceCatalog.Of(deviceName, "exact");
        if (!on.OnHost)
            throw UsageErrors.TracedOnCpu(deviceName);
        var compared = Comparison.Exact(a, b);
        var exit = ExactVerdicts.ExitOf(compared.Verdict);
        if (compared.At is not { } at)
            return new NothingToTrace(ExactVerdicts.Line(compared, exit), null, exit);
        return TraceResult.Of(compared.First!, Trace.Run(a, b, at, on, data, progress.Say, weights), exit);
    }

    private static void Write(string folder, TraceReport report)
    {
        string id = Guid.CreateVersion7().ToString();
        var table = new Table<OperationRow>(
            report.Operations.Select(o => Recorder.RowOf(new RunId(id), report.Stage, report.Step, o))
        );
        RunStore.Create(folder).Commit([table], TableMetadata.Of(id));
    }
}
