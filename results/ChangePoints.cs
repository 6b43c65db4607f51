namespace LutNative.Results;

/// <summary>
/// Where a series of nights changed its level: the best cut in two, again in each half, as long as the two levels
/// differ by more than the noise. Deterministic, and for looking back only: a change is gated by its own night's
/// comparison, never by this.
/// </summary>
public static class ChangePoints
{
    /// <summary>Nights that a level must last, and that a series must have before anything is said.</summary>
    public const int Shortest = 4;
    public const int Least = 10;

    /// <param name="values">Positive, oldest first.</param>
    /// <param name="band">Ratio that counts as noise.</param>
    /// <returns>Indices of the first night of each new level.</returns>
    public static IReadOnlyList<int> Find(IReadOnlyList<double> values, double band)
    {
        if (values.Count < Least)
            return [];
        double[] logs = [.. values.Select(v => Math.Log(v))];
        // the noise of one night: robust deviation of neighbours' differences, which a few steps do not move
        double[] differences = [.. logs.Skip(1).Zip(logs, (b, a) => Math.Abs(b - a))];
        double sd = Math.Max(1e-6, 1.4826 * Performance.Median(differences) / Math.Sqrt(2));
        var found = new List<int>();
        Cut(0, logs.Length);
        found.Sort();
        return found;

        void Cut(int from, int to)
        {
            int best = -1;
            double strongest = 0;
            for (int i = from + Shortest; i <= to - Shortest; i++)
            {
                double shift = Math.Abs(Mean(i, to) - Mean(from, i));
                double error = sd * Math.Sqrt(1.0 / (i - from) + 1.0 / (to - i));
                if (shift > band && shift / error > strongest)
                    (best, strongest) = (i, shift / error);
            }
            if (best < 0 || strongest < 4)
                return;
            found.Add(best);
            Cut(from, best);
            Cut(best, to);
        }

        double Mean(int from, int to)
        {
            double sum = 0;
            for (int i = from; i < to; i++)
                sum += logs[i];
            return sum / (to - from);
        }
    }
}
