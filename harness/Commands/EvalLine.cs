using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>One evaluation of a run.</summary>
/// <param name="Correct">Images, of how many: "612/1000".</param>
/// <param name="Percent">With two decimals.</param>
internal sealed record EvalLine(string Metric, string Correct, string Percent)
{
    internal static IReadOnlyList<EvalLine> Of(RunStore run)
    {
        var lines = new List<EvalLine>();
        var t = run.Read(Schema.Evals);
        for (int i = 0; i < t.Rows.Count; i++)
            lines.Add(
                new EvalLine(
                    t.Get<string>(i, "metric"),
                    FormattableString.Invariant($"{t.Get<long>(i, "correct")}/{t.Get<long>(i, "n")}"),
                    (100.0 * t.Get<long>(i, "correct") / t.Get<long>(i, "n")).Text("f2")
                )
            );
        return lines;
    }

    internal static void Table(IEnumerable<EvalLine> evals) =>
        Output.Table(["metric", "correct", "percent"], evals.Select(e => new[] { e.Metric, e.Correct, e.Percent }));
}
