using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>What runs drew or were analysed for: reconstructions, and the plots of `lut analyze`.</summary>
internal static class RunPictures
{
    internal static bool Has(RunStore run) => File.Exists(Picture(run));

    private static string Picture(RunStore run) => Path.Combine(run.Folder, "reconstructions.png");

    internal static Html Reconstruction(RunStore run, string name) =>
        !Has(run)
            ? default
            : Html.Of(
                $"<figure><img alt=\"Reconstructions of {name}: a column for each of the first test images; "
                    + $"rows are the original, the visible patches, and the decoder's answer\" "
                    + $"src=\"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(Picture(run)))}\"><figcaption>{name}: "
                    + $"originals, what the encoder saw, what the decoder answered</figcaption></figure>\n"
            );

    internal static Html Analyses(IReadOnlyList<RunStore> runs, string[] names, IReadOnlyList<AnalysisRow> analysis)
    {
        string[] ids = [.. runs.Select(r => r.Read(Schema.Events).First?.RunId.Text ?? "")];
        var found = new List<(string, Evaluation.AnalysisResult)>();
        foreach (var group in analysis.GroupBy(r => r.RunId.Text))
            found.Add(
                (Array.IndexOf(ids, group.Key) is var i and >= 0 ? names[i] : group.Key, AnalysisCharts.From(group))
            );
        return Html.Of(
            $"<p class=\"note\">Attention distance: how far a patch looks, weighted by its attention; bars "
                + $"reach from the nearest-sighted head to the farthest. Singular values: of the covariance of "
                + $"features; a slower fall means that more directions are used.</p>"
                + $"<div class=\"plots\">{Html.Concat(AnalysisCharts.Figures(found).Select(HtmlPage.Figure))}</div>"
        );
    }
}
