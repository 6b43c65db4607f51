using System.Globalization;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>`lut report`: what runs are, what they found, how they agree; and the history of nights.</summary>
internal static class HtmlReport
{
    /// <param name="analysis">Rows of analysis tables, by run_id.</param>
    internal static string Runs(
        IReadOnlyList<RunStore> runs,
        IReadOnlyList<AnalysisRow>? analysis,
        IReadOnlyList<IReadOnlyList<Finding>> nights
    )
    {
        string[] names = Names(runs);
        var page = new HtmlPage("LutNative report", $"{runs.Count} run(s); made by lut {LutVersion.Text}");
        page.Section(
            "runs",
            "Runs",
            Html.Of(
                $"<div class=\"cards\">{Html.Concat(runs.Select((r, i) => RunCards.Card(r, names[i])))}</div>\n{RunCards.Accuracy(runs, names)}"
            )
        );
        page.Section("curves", "Curves", RunCurves.Of(runs, names));
        if (runs.Any(RunPictures.Has))
            page.Section(
                "pictures",
                "Reconstructions",
                Html.Concat(runs.Select((r, i) => RunPictures.Reconstruction(r, names[i])))
            );
        if (analysis is { Count: > 0 })
            page.Section("analysis", "Analysis", RunPictures.Analyses(runs, names, analysis));
        page.Section("digests", "Digests", RunDigests.Of(runs, names));
        if (runs.Count > 1)
            page.Section("comparison", "Comparison", RunComparisons.Of(runs, names));
        if (nights.Count > 0)
            NightSections.Add(page, nights);
        return page.Build();
    }

    internal static string History(IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        var last = nights[^1][0];
        var page = new HtmlPage(
            "LutNative nights",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{nights.Count} night(s); data until {last.AtUtc:yyyy-MM-dd HH:mm} UTC, commit "
                    + $"{(last.Commit.Length > 0 ? last.Commit : "unknown")}; made by lut {LutVersion.Text}"
            )
        );
        NightSections.Add(page, nights);
        return page.Build();
    }

    private static string[] Names(IReadOnlyList<RunStore> runs) =>
        [.. runs.Select(r => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(r.Folder))))];
}
