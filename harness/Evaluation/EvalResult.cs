namespace LutNative.Harness.Evaluation;

/// <summary>What an evaluation found: one prediction an image.</summary>
/// <param name="Ranks">
/// Of the true class among the scores, from 0 (ties: the lower class first), where there are classes enough for a top-5
/// to mean something.
/// </param>
public sealed record EvalResult(string Metric, int[] Predicted, float[] Margin, int[] Labels, int[]? Ranks = null)
{
    /// <summary>Below this a top-5 says nothing.</summary>
    public const int ClassesForTop5 = 100;

    public int Correct { get; } = Predicted.Where((p, i) => p == Labels[i]).Count();
    public int? Top5 => Ranks?.Count(r => r < 5);
    public double Accuracy => 100.0 * Correct / Labels.Length;
}
