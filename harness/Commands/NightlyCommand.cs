using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;

namespace LutNative.Harness.Commands;

/// <summary>nightly: one night of the regression kit.</summary>
internal static class NightlyCommand
{
    internal static Command Build(CancellationToken stop)
    {
        var command = new Command(
            "nightly",
            "One night of a suite: bits, then accuracy, then speed with confirmation; Markdown, JUnit, issues, "
                + "history. Example: lut nightly --suite ops/nightly.toml"
        );
        var suite = command.Option<string>("--suite", "TOML file that says what runs", required: true);
        var baseline = BaselineCommand.Folder(command);
        var output = command.Output("Folder of nights", "nights");
        var device = BaselineCommand.Device(command);
        var pinned = command.Option<string?>(
            "--pinned-build",
            "lut.dll or executable of the last release: a slowdown is confirmed against it, in turns"
        );
        var inject = command.Option<string?>("--inject", "Plant a fault in the bits stage, for drills (as in run)");
        var slow = command.Double(
            "--slow",
            "Plant a slowdown in the perf stage, for drills: 0.15 is fifteen percent",
            0,
            100
        );
        var exitZero = command.Flag("--exit-zero", "Exit 0 whatever was found: for advisory jobs");
        var quiet = command.Quiet();
        var json = command.Json();
        command.SetAction(r =>
        {
            var order = new NightOrder(
                Suite.Load(r.GetValue(suite)!),
                r.GetValue(baseline)!,
                r.GetValue(output)!,
                r.GetValue(device)!,
                r.GetValue(pinned),
                r.GetValue(inject) is { } fault ? Fault.Parse(fault) : null,
                r.GetValue(slow) ?? 0,
                r.GetValue(quiet),
                RecordedSettings.Argv(Environment.GetCommandLineArgs())
            );
            var (night, findings) = Night.Run(order, stop);
            NightPublication.Write(order.Output, night, findings);
            int exit = Output.Print(NightResult.Of(night, findings), r.GetValue(json), NightResult.Text);
            return r.GetValue(exitZero) ? (int)Exit.Ok : exit;
        });
        return command;
    }
}
