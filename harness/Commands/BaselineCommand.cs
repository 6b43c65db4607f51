using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

internal sealed record BaselineListResult(string File, IEnumerable<Baseline> Baselines, Exit Exit) : IVerbResult
{
    internal static void Text(BaselineListResult found) =>
        Output.Table(
            ["row", "pinned", "rolling", "band", "accepted", "by", "reason"],
            found.Baselines.Select(b =>
                new[]
                {
                    b.Name,
                    BaselineCommand.Median(b.Pinned),
                    b.Rolling.Count == 0 ? "" : $"{BaselineCommand.Median(b.Rolling)} ({b.Rolling.Count})",
                    b.BandNow.Text("0.0###"),
                    b.Accepted,
                    b.By,
                    b.Reason,
                }
            )
        );
}

/// <param name="Expired">The row that was removed.</param>
internal sealed record ExpireResult(string File, string Expired, Exit Exit) : IVerbResult
{
    internal static void Text(ExpireResult found) => Output.Line($"{found.Expired} removed from {found.File}");
}

/// <summary>baseline list, accept and expire: what nights are held against.</summary>
internal static class BaselineCommand
{
    internal static Command Build()
    {
        var command = new Command("baseline", "Baselines of speed, as text in git: list, accept, expire");
        command.Subcommands.Add(BuildList());
        command.Subcommands.Add(BuildAccept());
        command.Subcommands.Add(BuildExpire());
        return command;
    }

    internal static Option<string> Folder(Command command) =>
        command.Option("--baseline", "Folder of the baselines, one TOML file for each kind of hardware", "baselines");

    internal static Option<string> Device(Command command) => command.Device("cpu, cuda:0, cuda:emulated, ...");

    /// <summary>Of images per second, for people.</summary>
    internal static string Median(IReadOnlyList<double> v) => Performance.Median([.. v]).Text("g5");

    private static Command BuildList()
    {
        var command = new Command("list", "What nights on this hardware are held against. Example: lut baseline list");
        var folder = Folder(command);
        var device = Device(command);
        var json = command.Json();
        command.SetAction(r =>
        {
            var all = Open(r.GetValue(folder)!, r.GetValue(device)!);
            Output.Print(
                new BaselineListResult(all.Path, all.Rows.Values, Exit.Ok),
                r.GetValue(json),
                BaselineListResult.Text
            );
            return (int)(all.Rows.Count > 0 ? Exit.Ok : Exit.NothingSelected);
        });
        return command;
    }

    private static Command BuildAccept()
    {
        var command = new Command(
            "accept",
            "Make a night's speeds the baseline, and begin new rolling nights. Example: lut baseline accept "
                + "nights/20261124-021700 --reason \"larger tiles\""
        );
        var night = command.Argument<string>("night", "A night's folder");
        var reason = command.Option<string>("--reason", "Why: it is written into the file", required: true);
        var only = command.Option<string[]>("--row", "Only this row (may be repeated)");
        var force = command.Flag("--force", "Accept a night whose machine was not fit to be timed; the file says so");
        var folder = Folder(command);
        var device = Device(command);
        var json = command.Json();
        command.SetAction(r =>
        {
            // the whole of it alone: what is shown as "before" is what is replaced
            using var alone = Baselines.Take(r.GetValue(folder)!);
            var all = Open(r.GetValue(folder)!, r.GetValue(device)!);
            var accepted = BaselineAcceptance.Accept(
                r.GetValue(night)!,
                r.GetValue(reason)!,
                r.GetValue(only) ?? [],
                r.GetValue(force),
                all
            );
            return Output.Print(accepted, r.GetValue(json), AcceptResult.Text);
        });
        return command;
    }

    private static Command BuildExpire()
    {
        var command = new Command(
            "expire",
            "Remove a baseline, for a row that is gone on purpose or after the driver or the clocks' policy "
                + "changed. Example: lut baseline expire tiny"
        );
        var row = command.Argument<string>("row", "A row of the file");
        var folder = Folder(command);
        var device = Device(command);
        var json = command.Json();
        command.SetAction(r =>
        {
            using var alone = Baselines.Take(r.GetValue(folder)!);
            var all = Open(r.GetValue(folder)!, r.GetValue(device)!);
            string name = r.GetValue(row)!;
            Expire(all, name);
            return Output.Print(new ExpireResult(all.Path, name, Exit.Ok), r.GetValue(json), ExpireResult.Text);
        });
        return command;
    }

    private static void Expire(Baselines all, string name)
    {
        if (!all.Remove(name))
            throw NothingSelectedErrors.NoBaseline(name, all.Path, [.. all.Rows.Keys]);
        all.Write();
    }

    private static Baselines Open(string folder, string device) =>
        Baselines.Load(folder, Machine.HardwareKey(DeviceCatalog.Of(device, "exact")));
}
