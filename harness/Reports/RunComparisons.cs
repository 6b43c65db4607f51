using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>Every run compared with the first, bit by bit.</summary>
internal static class RunComparisons
{
    internal static Html Of(IReadOnlyList<RunStore> runs, string[] names)
    {
        var html = new HtmlBuilder();
        for (int i = 1; i < runs.Count; i++)
        {
            var report = Comparison.Exact(runs[0], runs[i]);
            string colour = report.Verdict switch
            {
                ExactVerdict.Identical => "green",
                ExactVerdict.Incomparable => "grey",
                ExactVerdict.IdenticalPrefix => "yellow",
                _ => "red",
            };
            html.Add(
                $"<h3>{names[0]} and {names[i]}</h3><p>{HtmlPage.Chip(colour, report.Verdict.ToString().ToUpperInvariant())} {report.First ?? ""}</p>"
            );
            if (report.Ladder.Count > 0)
                html.Put(
                    HtmlPage.Table(
                        "The ladder from cause to effect",
                        ["rung", "values compared", "differ", "first"],
                        report.Ladder.Select(r =>
                            (IEnumerable<Html>)[r.Name, r.Compared.Text(), r.Differ.Text(), r.First ?? ""]
                        )
                    )
                );
            else
                html.Put(Html.Concat(report.Details.Select(d => Html.Of($"<p class=\"note\">{d}</p>"))));
            if (report.Verdict != ExactVerdict.Diverged)
                continue;
            var growth = Divergence.Growth(runs[0], runs[i]);
            if (growth.Count > 0)
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
            if (Divergence.Flips(runs[0], runs[i]) is { Count: > 0 } flips)
                html.Put(
                    HtmlPage.Table(
                        "Turned predictions",
                        [
                            "metric",
                            "images",
                            "other answer",
                            "only the first right",
                            "only the second right",
                            "McNemar p",
                        ],
                        flips.Select(f =>
                            (IEnumerable<Html>)
                                [
                                    f.Metric,
                                    .. new double[] { f.Images, f.Differ, f.OnlyA, f.OnlyB }.Select(v =>
                                        (Html)v.Text()
                                    ),
                                    f.PValue.Text("f3"),
                                ]
                        )
                    )
                );
            html.Put(
                HtmlPage.Details(
                    "What is different about the machines",
                    Html.Concat(Divergence.Environment(runs[0], runs[i]).Select(l => Html.Of($"<p>{l}</p>")))
                )
            );
        }
        return html.Build();
    }
}
