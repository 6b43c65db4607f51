using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>How the losses of two runs drift apart: a line a stage, on a logarithmic axis.</summary>
internal static class DriftChart
{
    internal static IReadOnlyList<Series> Lines(IReadOnlyList<GrowthRow> growth) =>
        [
            .. growth
                .GroupBy(g => g.Stage)
                .Select(g => new Series(
                    g.Key,
                    [.. g.Select(r => (double)r.Step)],
                    [.. g.Select(r => r.Relative)],
                    Points: true
                )),
        ];
}
