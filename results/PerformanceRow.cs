namespace LutNative.Results;

public enum PerformanceVerdict
{
    Faster,
    Same,
    Slower,
    Undecided,
    Unstable,
    Unfit,
    Incomparable,
}

/// <summary>One benchmark (a shape, stage, method and batch) on two sides.</summary>
/// <param name="Ratio">B's images/s over A's: Hodges and Lehmann's estimate of a shift, on logarithms: the median of
/// all pairs of blocks, or, of blocks measured in turns, of the averages of all pairs of launches' differences.</param>
/// <param name="Low">95 % interval, by resampling launches and then blocks inside of them.</param>
/// <param name="P">
/// Chance of so clear a shift beyond the band when there is none, two-sided; after Holm's correction over the rows of
/// the comparison.
/// </param>
/// <param name="Band">Ratio that counts as noise: 0.03 is three percent either way.</param>
/// <param name="Why">For INCOMPARABLE, UNFIT and UNSTABLE the reason; else warnings that a reader must know.</param>
public sealed record PerformanceRow(
    string Key,
    PerformanceVerdict Verdict,
    double MedianA,
    double MedianB,
    double Ratio,
    double Low,
    double High,
    double P,
    double Band,
    IReadOnlyList<string> Why
);
