namespace LutNative.Results;

/// <summary>What runs say about a reported number.</summary>
public enum ClaimVerdict
{
    /// <summary>
    /// The reported value is where another run of ours would fall, and our mean is equivalent to it within the margin.
    /// </summary>
    Reproduced,

    /// <summary>It is where another run would fall; too few runs, or too far apart, to call them equivalent.</summary>
    Consistent,

    /// <summary>It lies above everything that our runs let expect.</summary>
    NotReproduced,

    /// <summary>It lies below: look for leakage, selection, or another data set.</summary>
    Exceeds,

    /// <summary>Fewer than three runs say nothing about spread.</summary>
    Underpowered,
}

/// <param name="Interval">95 % confidence interval of our mean.</param>
/// <param name="Prediction">
/// 95 % prediction interval for what was reported: one run, or the mean of as many as it was.
/// </param>
/// <param name="EquivalenceLow">
/// 90 % interval of the difference from the reported value: inside of the margin means equivalent (two one-sided tests
/// at 5 %).
/// </param>
public sealed record ClaimReport(
    ClaimVerdict Verdict,
    double Mean,
    double? Sd,
    (double Low, double High)? Interval,
    (double Low, double High)? Prediction,
    double? EquivalenceLow,
    double? EquivalenceHigh
);

/// <summary>
/// Whether runs reproduce a reported accuracy, in percent. Student's t throughout; the reported value is widened by
/// half of its last printed digit. Verdicts in the spirit of MLPerf's reference convergence points, two-sided.
/// </summary>
public static class ClaimCheck
{
    /// <param name="values">Ours, one a seed.</param>
    /// <param name="reported">The value, or the mean of several.</param>
    /// <param name="reportedRuns">How many runs it stands for.</param>
    public static ClaimReport Run(
        IReadOnlyList<double> values,
        double reported,
        int reportedRuns,
        double precision,
        double margin
    )
    {
        int n = values.Count;
        double mean = values.Average();
        if (n < 3)
            return new ClaimReport(ClaimVerdict.Underpowered, mean, null, null, null, null, null);
        double sd = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (n - 1));
        double se = sd / Math.Sqrt(n);
        double half = precision / 2;
        double wide = StudentT(n - 1, 0.975) * sd * Math.Sqrt(1.0 / reportedRuns + 1.0 / n);
        double tost = StudentT(n - 1, 0.95) * se;
        var prediction = (mean - wide, mean + wide);
        // the nearest value that rounds to what was printed
        double nearest = Math.Clamp(mean, reported - half, reported + half);
        double low = mean - nearest - tost;
        double high = mean - nearest + tost;
        bool inside = nearest >= prediction.Item1 && nearest <= prediction.Item2;
        bool equivalent = low > -margin && high < margin;
        var verdict = (inside, equivalent) switch
        {
            (true, true) => ClaimVerdict.Reproduced,
            (true, false) => ClaimVerdict.Consistent,
            _ when mean < reported => ClaimVerdict.NotReproduced,
            _ => ClaimVerdict.Exceeds,
        };
        return new ClaimReport(
            verdict,
            mean,
            sd,
            (mean - StudentT(n - 1, 0.975) * se, mean + StudentT(n - 1, 0.975) * se),
            prediction,
            low,
            high
        );
    }

    /// <summary>
    /// The p-quantile of Student's t with k degrees of freedom, p above 1/2, by bisection of the distribution function
    /// (accurate to 1e-9).
    /// </summary>
    public static double StudentT(int k, double p)
    {
        double low = 0;
        double high = 1e4;
        for (int i = 0; i < 100; i++)
        {
            double middle = 0.5 * (low + high);
            if (Below(k, middle) < p)
                low = middle;
            else
                high = middle;
        }
        return 0.5 * (low + high);
    }

    /// <summary>
    /// P(T below t), t positive: the closed series in theta = atan(t / sqrt k). Source: Abramowitz and Stegun 26.7.3
    /// and 26.7.4.
    /// </summary>
    private static double Below(int k, double t)
    {
        double theta = Math.Atan(t / Math.Sqrt(k));
        double cos = Math.Cos(theta);
        double sum;
        double term;
        if (k % 2 == 1)
        {
            (sum, term) = (0, cos);
            for (int j = 1; j <= k - 2; j += 2, term *= cos * cos * (j - 1) / j)
                sum += term;
            return 0.5 + (theta + Math.Sin(theta) * (k == 1 ? 0 : sum)) / Math.PI;
        }
        (sum, term) = (0, 1);
        for (int j = 0; j <= k - 2; j += 2)
        {
            sum += term;
            term *= cos * cos * (j + 1) / (j + 2);
        }
        return 0.5 + 0.5 * Math.Sin(theta) * sum;
    }
}
