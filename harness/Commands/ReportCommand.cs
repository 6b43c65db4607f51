using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>report: one HTML file about runs and nights.</summary>
internal static class ReportCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "report",
            "One HTML file, readable anywhere and offline: runs, curves, reconstructions, analysis, digests, comparison, nights. Example: lut report runs/mae runs/lut --analysis analysis -o report.html"
        );
        Argument<string[]> runs = new("runs")
        {
            Description = "Folders of runs; each is compared with the first",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> analysis = new("--analysis") { Description = "Folder that `lut analyze` wrote" };
        Option<string?> nights = new("--nights") { Description = "Folder of nights" };
        Option<string> output = new("--output", "-o")
        {
            Description = "The file",
            DefaultValueFactory = _ => "report.html",
        };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Arguments.Add(runs);
        foreach (Option o in new Option[] { analysis, nights, output, json })
            command.Options.Add(o);
        command.SetAction(r =>
        {
            RunStore[] found = [.. (r.GetValue(runs) ?? []).Select(RunFolders.Find)];
            var history = r.GetValue(nights) is { } folder ? History.Load(folder) : [];
            if (found.Length == 0 && history.Count == 0)
                throw new LutError(
                    Exit.NothingSelected,
                    10,
                    "there is nothing to report",
                    "the arguments",
                    "no run was named, and no night was found",
                    "name runs, or --nights FOLDER with nights in it"
                );
            string html =
                found.Length == 0
                    ? HtmlReport.History(history)
                    : HtmlReport.Runs(
                        found,
                        r.GetValue(analysis) is { } a ? new RunStore(a).Read(Schema.Analysis).Rows : null,
                        history
                    );
            string path = r.GetValue(output)!;
            try
            {
                WholeFile.WriteText(path, html);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LutError(
                    Exit.Store,
                    19,
                    "cannot write the report",
                    Path.GetFullPath(path),
                    e.Message,
                    "choose another --output"
                );
            }
            if (r.GetValue(json))
                Output.Json(
                    new
                    {
                        file = path,
                        bytes = html.Length,
                        runs = found.Length,
                        nights = history.Count,
                        exit = 0,
                    }
                );
            else
                Output.Line(
                    FormattableString.Invariant(
                        $"{path}: {found.Length} run(s), {history.Count} night(s), {html.Length / 1024} KiB"
                    )
                );
            return 0;
        });
        return command;
    }
}
