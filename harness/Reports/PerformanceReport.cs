using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>One benchmark of two sides.</summary>
/// <param name="Ratio">B beside A, with its 95 % interval.</param>
/// <param name="P">Holm's, over all rows.</param>
/// <param name="Band">Ratio that counts as noise.</param>
internal sealed record PerformanceLine(
    string Key,
    string Verdict,
    double ImagesPerSecondA,
    double ImagesPerSecondB,
    double Ratio,
    double Low,
    double High,
    double P,
    double Band,
    IReadOnlyList<string> Notes
)
{
    internal required bool IsComparable { get; init; }
}

/// <summary>What `compare --perf` and `bench --against` found.</summary>
internal sealed record PerformanceReport(string Verdict, IReadOnlyList<PerformanceLine> Rows, Exit Exit) : IVerbResult
{
    internal const double DefaultBand = 0.03;

    /// <summary>The row that decided; null where nothing could be compared.</summary>
    internal PerformanceLine? Deciding =>
        Verdict == Word(PerformanceVerdict.Incomparable) ? null : Rows.FirstOrDefault(r => r.Verdict == Verdict);

    internal static PerformanceReport Of(IReadOnlyList<PerformanceRow> rows)
    {
        var overall = Overall(rows);
        return new PerformanceReport(
            Word(overall),
            [
                .. rows.Select(r => new PerformanceLine(
                    r.Key,
                    Word(r.Verdict),
                    r.MedianA,
                    r.MedianB,
                    r.Ratio,
                    r.Low,
                    r.High,
                    r.P,
                    r.Band,
                    r.Why
                )
                {
                    IsComparable = r.Verdict != PerformanceVerdict.Incomparable,
                }),
            ],
            ExitOf(overall)
        );
    }

    private static string Word(PerformanceVerdict v) => v.ToString().ToUpperInvariant();

    /// <summary>
    /// One verdict for several rows: a confirmed loss first, then what keeps a reader from knowing, then the good news.
    /// </summary>
    private static PerformanceVerdict Overall(IReadOnlyList<PerformanceRow> rows) =>
        rows.Count == 0
            ? PerformanceVerdict.Incomparable
            : new[]
            {
                PerformanceVerdict.Slower,
                PerformanceVerdict.Unfit,
                PerformanceVerdict.Incomparable,
                PerformanceVerdict.Unstable,
                PerformanceVerdict.Undecided,
                PerformanceVerdict.Faster,
                PerformanceVerdict.Same,
            }.First(v => rows.Any(r => r.Verdict == v));

    private static Exit ExitOf(PerformanceVerdict v) =>
        v switch
        {
            PerformanceVerdict.Slower => Exit.Negative,
            PerformanceVerdict.Unfit => Exit.Unfit,
            PerformanceVerdict.Undecided or PerformanceVerdict.Unstable or PerformanceVerdict.Incomparable =>
                Exit.Inconclusive,
            _ => Exit.Ok,
        };
}
