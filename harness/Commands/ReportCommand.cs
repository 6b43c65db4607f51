using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <param name="Bytes">Characters of the page, which are ASCII but for names.</param>
internal sealed record ReportResult(string File, int Bytes, int Runs, int Nights, Exit Exit) : IVerbResult
{
    internal static void Text(ReportResult found) =>
        Output.Line(
            FormattableString.Invariant(
                $"{found.File}: {found.Runs} run(s), {found.Nights} night(s), {found.Bytes / 1024} KiB"
            )
        );
}

/// <summary>report: one HTML file about runs and nights.</summary>
internal static class ReportCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "report",
            "One HTML file, readable anywhere and offline: runs, curves, reconstructions, analysis, digests, "
                + "comparison, nights. Example: lut report runs/mae runs/lut --analysis analysis -o report.html"
        );
        var runs = command.Argument<string[]>(
            "runs",
            "Folders of runs; each is compared with the first",
            ArgumentArity.ZeroOrMore
        );
        var analysis = command.Option<string?>("--analysis", "Folder that `lut analyze` wrote");
        var nights = command.Option<string?>("--nights", "Folder of nights");
        var output = command.Output("The file", "report.html");
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(
                Write(
                    [.. (r.GetValue(runs) ?? []).Select(RunFolders.Find)],
                    r.GetValue(analysis),
                    r.GetValue(nights) is { } folder ? History.Load(folder) : [],
                    r.GetValue(output)!
                ),
                r.GetValue(json),
                ReportResult.Text
            )
        );
        return command;
    }

    /// <param name="analysis">A folder of `lut analyze`, or null.</param>
    private static ReportResult Write(
        RunStore[] runs,
        string? analysis,
        IReadOnlyList<IReadOnlyList<Finding>> nights,
        string path
    )
    {
        if (runs.Length == 0 && nights.Count == 0)
            throw NothingSelectedErrors.NothingToReport();
        string html =
            runs.Length == 0
                ? HtmlReport.History(nights)
                : HtmlReport.Runs(
                    runs,
                    analysis is null ? null : new RunStore(analysis).Read(Schema.Analysis).Rows,
                    nights
                );
        try
        {
            WholeFile.WriteText(path, html);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWriteReport(path, e.Message);
        }
        return new ReportResult(path, html.Length, runs.Length, nights.Count, Exit.Ok);
    }
}
