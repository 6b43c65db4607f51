using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>Curves of losses and gradient norms, by stage: a line a run.</summary>
internal static class RunCurves
{
    private const int MostPoints = 400;

    internal static Html Of(IReadOnlyList<RunStore> runs, string[] names)
    {
        var steps = runs.Select(r => r.Read(Schema.Steps).Rows).ToArray();
        var html = new HtmlBuilder().Add(
            $"<p class=\"note\">Long runs are drawn as means over equal numbers of steps.</p><div class=\"plots\">"
        );
        foreach (string stage in steps.SelectMany(t => t.Select(r => r.Stage)).Distinct())
        {
            html.Put(HtmlPage.Figure(Chart.Line($"Loss, {stage}", "step", "loss", Lines(stage, r => r.Loss))));
            if (Lines(stage, r => r.LossContext) is { Count: > 0 } context)
                html.Put(HtmlPage.Figure(Chart.Line($"Context loss (L_BC), {stage}", "step", "loss", context)));
            html.Put(
                HtmlPage.Figure(Chart.Line($"Gradient norm, {stage}", "step", "norm", Lines(stage, r => r.GradNorm)))
            );
        }
        return html.Add($"</div>").Build();

        List<Series> Lines(string stage, Func<StepRow, float?> of)
        {
            var all = new List<Series>();
            for (int i = 0; i < runs.Count; i++)
            {
                var rows = steps[i]
                    .Where(r => r.Stage == stage && of(r) is not null)
                    .Select(r => ((double)r.Step, (double)of(r)!.Value))
                    .ToList();
                if (rows.Count == 0)
                    continue;
                int each = (rows.Count + MostPoints - 1) / MostPoints;
                var drawn = rows.Chunk(each)
                    .Select(c => (X: c.Average(p => p.Item1), Y: c.Average(p => p.Item2)))
                    .ToList();
                all.Add(new Series(names[i], [.. drawn.Select(p => p.X)], [.. drawn.Select(p => p.Y)]));
            }
            return all;
        }
    }
}
