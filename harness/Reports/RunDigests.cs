using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>The state's digests of runs beside each other.</summary>
internal static class RunDigests
{
    private const int MostDigests = 40;

    /// <summary>The state's digest at recorded steps: equal cells in a row mean equal bits.</summary>
    internal static Html Of(IReadOnlyList<RunStore> runs, string[] names)
    {
        var html = new HtmlBuilder().Add(
            $"<p class=\"note\">The digest of the whole state after a step, its first eight digits. A mark "
                + $"says whether a run has the first run's bits, where both are the same experiment.</p>"
        );
        bool[] comparable = [.. runs.Select((r, i) => i > 0 && Comparison.Obstacles(runs[0], r).Count == 0)];
        var all = runs.Select(r =>
                r.Rows(Schema.Steps)
                    .Where(s => s.StateDigest is not null)
                    .ToDictionary(s => (s.Stage, s.Step), s => $"{s.StateDigest}")
            )
            .ToArray();
        foreach (var group in all.SelectMany(a => a.Keys).Distinct().GroupBy(k => k.Item1))
        {
            var steps = group.Select(k => k.Item2).Order().ToList();
            int each = (steps.Count + MostDigests - 1) / MostDigests;
            var shown = steps.Where((s, i) => i % each == 0 || i == steps.Count - 1);
            html.Put(
                HtmlPage.Table(
                    $"{group.Key}: {steps.Count} recorded states{(each > 1 ? $", every {each}th shown" : "")}",
                    ["step", .. names.Select(n => (Html)n)],
                    shown.Select(s =>
                        (IEnumerable<Html>)
                            [
                                s.Text(),
                                .. all.Select(
                                    (a, i) =>
                                        a.TryGetValue((group.Key, s), out string? d)
                                            ? State(d, comparable[i] ? all[0].GetValueOrDefault((group.Key, s)) : null)
                                            : default
                                ),
                            ]
                    )
                )
            );
        }
        return html.Build();
    }

    /// <param name="first">The first run's digest where the two must agree.</param>
    private static Html State(string digest, string? first)
    {
        var bits = Html.Of($"<span class=\"bits\">{(digest.Length > 8 ? digest[..8] : digest)}</span>");
        return first is null
            ? bits
            : Html.Of(
                $"{bits} {HtmlPage.Chip(digest == first ? "green" : "red", digest == first ? "equal" : "other")}"
            );
    }
}
