using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>Every run compared with the first, bit by bit.</summary>
internal static class RunComparisons
{
    internal static Html Of(IReadOnlyList<RunStore> runs, string[] names) =>
        Html.Concat(runs.Skip(1).Select((run, i) => Pair(runs[0], run, names[0], names[i + 1])));

    private static Html Pair(RunStore first, RunStore other, string firstName, string otherName)
    {
        var report = Comparison.Exact(first, other);
        var chip = HtmlPage.Chip(ColourOf(report.Verdict), report.Verdict.ToString().ToUpperInvariant());
        var html = new HtmlBuilder().Add($"<h3>{firstName} and {otherName}</h3><p>{chip} {report.First ?? ""}</p>");
        if (report.Ladder.Count > 0)
            html.Put(Ladder(report.Ladder));
        else
            html.Put(Html.Concat(report.Details.Select(d => Html.Of($"<p class=\"note\">{d}</p>"))));
        if (report.Verdict != ExactVerdict.Diverged)
            return html.Build();
        if (Divergence.Growth(first, other) is { Count: > 0 } growth)
            html.Put(
                HtmlPage.Figure(
                    Chart.Line(
                        "How the losses drift apart",
                        "step",
                        "relative difference",
                        DriftChart.Lines(growth),
                        logY: true
                    )
                )
            );
        if (Divergence.Flips(first, other) is { Count: > 0 } flips)
            html.Put(Flips(flips));
        var environment = Divergence.Environment(first, other).Select(l => Html.Of($"<p>{l}</p>"));
        return html.Put(HtmlPage.Details("What is different about the machines", Html.Concat(environment))).Build();
    }

    private static string ColourOf(ExactVerdict verdict) =>
        verdict switch
        {
            ExactVerdict.Identical => "green",
            ExactVerdict.Incomparable => "grey",
            ExactVerdict.IdenticalPrefix => "yellow",
            _ => "red",
        };

    private static Html Ladder(IReadOnlyList<Rung> ladder) =>
        HtmlPage.Table(
            "The ladder from cause to effect",
            ["rung", "values compared", "differ", "first"],
            ladder.Select(r => (IEnumerable<Html>)[r.Name, r.Compared.Text(), r.Differ.Text(), r.First ?? ""])
        );

    private static Html Flips(IReadOnlyList<FlipRow> flips) =>
        HtmlPage.Table(
            "Turned predictions",
            ["metric", "images", "other answer", "only the first right", "only the second right", "McNemar p"],
            flips.Select(f =>
                (IEnumerable<Html>)
                    [f.Metric, f.Images.Text(), f.Differ.Text(), f.OnlyA.Text(), f.OnlyB.Text(), f.PValue.Text("f3")]
            )
        );
}
