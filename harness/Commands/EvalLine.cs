using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>One evaluation of a run.</summary>
/// <param name="Correct">Images, of how many: "612/1000".</param>
/// <param name="Percent">With two decimals.</param>
internal sealed record EvalLine(string Metric, string Correct, string Percent)
{
    internal static IReadOnlyList<EvalLine> Of(RunStore run) =>
        [
            .. run.Read(Schema.Evals)
                .Rows.Select(e => new EvalLine(
                    e.Metric,
                    FormattableString.Invariant($"{e.Correct}/{e.N}"),
                    (100.0 * e.Correct / e.N).Text("f2")
                )),
        ];

    internal static void Table(IEnumerable<EvalLine> evals) =>
        Output.Table(["metric", "correct", "percent"], evals.Select(e => new[] { e.Metric, e.Correct, e.Percent }));
}
