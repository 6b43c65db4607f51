namespace LutNative.Results;

/// <summary>How far two runs are apart at one step.</summary>
/// <param name="Ulp">Units in the last place between the losses.</param>
/// <param name="Relative">|a - b| / |a|.</param>
public sealed record GrowthRow(string Stage, long Step, float LossA, float LossB, long Ulp, double Relative);

/// <summary>Predictions of one metric that differ.</summary>
/// <param name="OnlyA">Images that only A has right; OnlyB that only B has.</param>
/// <param name="PValue">
/// McNemar's exact test, two-sided: how likely so uneven a split is when neither is better.
/// </param>
public sealed record FlipRow(string Metric, int Images, int Differ, int OnlyA, int OnlyB, double PValue);

/// <summary>The first element of a tensor that two sides hold with other bits.</summary>
/// <param name="Ulp">Units in the last place between them.</param>
/// <param name="Differ">Elements that differ, of <paramref name="Of"/>.</param>
public sealed record ElementPair(string Tensor, long Element, uint A, uint B, long Ulp, long Differ, long Of)
{
    /// <summary>Null when all bits are equal.</summary>
    public static ElementPair? First(string tensor, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        int at = -1;
        int count = 0;
        for (int i = 0; i < a.Length; i++)
            if (BitConverter.SingleToInt32Bits(a[i]) != BitConverter.SingleToInt32Bits(b[i]))
            {
                if (at < 0)
                    at = i;
                count++;
            }
        return at < 0
            ? null
            : new ElementPair(
                tensor,
                at,
                BitConverter.SingleToUInt32Bits(a[at]),
                BitConverter.SingleToUInt32Bits(b[at]),
                Divergence.UlpDistance(a[at], b[at]),
                count,
                a.Length
            );
    }

    public override string ToString() =>
        FormattableString.Invariant(
            $"{Tensor}[{Element}]: {new Bits32(A)} is not {new Bits32(B)}, {Ulp} ulp; {Differ} of {Of} elements differ"
        );
}

/// <summary>
/// What can be said of two runs whose bits differ: how the difference grows, which predictions it turned, and what was
/// different about the machines.
/// </summary>
public static class Divergence
{
    /// <summary>
    /// Losses at the first differing step and 1, 2, 4, ... steps later, and at the last step that both have.
    /// </summary>
    public static IReadOnlyList<GrowthRow> Growth(RunStore a, RunStore b)
    {
        var left = Losses(a);
        var right = Losses(b).ToDictionary(r => (r.Stage, r.Step), r => r.Loss);
        var rows = new List<GrowthRow>();
        foreach (var stage in left.GroupBy(r => r.Stage))
        {
            var common = stage
                .Where(r => right.ContainsKey((r.Stage, r.Step)))
                .Select(r => Row(r.Stage, r.Step, r.Loss, right[(r.Stage, r.Step)]))
                .OrderBy(r => r.Step)
                .ToList();
            int first = common.FindIndex(r => r.Ulp != 0);
            if (first < 0)
                continue;
            for (int i = 0; first + i < common.Count; i = i == 0 ? 1 : 2 * i)
                rows.Add(common[first + i]);
            if (rows[^1] != common[^1])
                rows.Add(common[^1]);
        }
        return rows;
    }

    public static IReadOnlyList<FlipRow> Flips(RunStore a, RunStore b)
    {
        var other = b.Rows(Schema.Predictions).ToDictionary(r => (r.Metric, r.SampleIndex), r => r.Top1);
        var rows = new List<FlipRow>();
        foreach (var group in a.Rows(Schema.Predictions).GroupBy(r => r.Metric))
        {
            int images = 0;
            int differ = 0;
            int onlyA = 0;
            int onlyB = 0;
            foreach (var r in group)
            {
                if (!other.TryGetValue((group.Key, r.SampleIndex), out int theirs))
                    continue;
                images++;
                if (r.Top1 != theirs)
                    differ++;
                if (r.Top1 == r.Label && theirs != r.Label)
                    onlyA++;
                if (r.Top1 != r.Label && theirs == r.Label)
                    onlyB++;
            }
            if (differ > 0)
                rows.Add(new FlipRow(group.Key, images, differ, onlyA, onlyB, McNemar(onlyA, onlyB)));
        }
        return rows;
    }

    /// <summary>
    /// What differs between the machines and settings, the likeliest causes of other bits first: device and instruction
    /// set, then runtime and libraries, then the rest. Under the contract none of them may change a bit: the list says
    /// where to look, never what is allowed.
    /// </summary>
    public static IReadOnlyList<string> Environment(RunStore a, RunStore b)
    {
        var lines = new List<string>();
        var run = Pair(Schema.Run);
        var host = Pair(Schema.Hosts);
        Note("protocol", run, r => r.Protocol);
        Note("device", run, r => r.Device);
        Note("cpu_isa", host, h => h.CpuIsa);
        Note("cpu_model", host, h => h.CpuModel);
        Note("arch", host, h => h.Arch);
        Note("dotnet_runtime", host, h => h.DotnetRuntime);
        Note("os", host, h => h.Os);
        Note("lut_version", run, r => r.LutVersion);
        lines.AddRange(Files(a, b));
        Note("threads", run, r => r.Threads);
        Note("micro_batch", run, r => r.MicroBatch);
        Note("data_workers", run, r => r.DataWorkers);
        Note("resume_count", run, r => r.ResumeCount);
        return lines;

        (TRow? A, TRow? B) Pair<TRow>(TableSchema<TRow> schema)
            where TRow : class, IRow => (a.Read(schema).First, b.Read(schema).First);

        void Note<TRow>(string name, (TRow? A, TRow? B) pair, Func<TRow, object> of)
            where TRow : class
        {
            if (pair is not ({ } x, { } y))
                return;
            string p = Table.Show(of(x));
            string q = Table.Show(of(y));
            if (p != q)
                lines.Add($"{name}: {p}, {q}");
        }
    }

    /// <summary>Files that both ran and that are not the same.</summary>
    private static IEnumerable<string> Files(RunStore a, RunStore b)
    {
        var theirs = b.Read(Schema.Env).Rows.GroupBy(r => r.Name).ToDictionary(g => g.Key, g => g.First());
        foreach (var mine in a.Read(Schema.Env).Rows)
            if (theirs.TryGetValue(mine.Name, out var other) && mine.Sha256 != other.Sha256)
                yield return $"file of {mine.Name}: {mine.Version}, {other.Version}"
                    + (mine.Version == other.Version ? " (other bytes)" : "");
    }

    /// <summary>Two-sided exact binomial test of x against y at one half.</summary>
    public static double McNemar(int x, int y)
    {
        int n = x + y;
        int least = Math.Min(x, y);
        if (n == 0)
            return 1.0;
        double sum = 0;
        double logHalf = n * Math.Log(0.5);
        double term = 0; // log of C(n, k)
        for (int k = 0; k <= least; k++)
        {
            sum += Math.Exp(term + logHalf);
            term += Math.Log(n - k) - Math.Log(k + 1);
        }
        return Math.Min(1.0, 2 * sum);
    }

    private static IEnumerable<(string Stage, long Step, float Loss)> Losses(RunStore store) =>
        store.Rows(Schema.Steps).Select(r => (r.Stage, r.Step, r.Loss));

    private static GrowthRow Row(string stage, long step, float a, float b) =>
        new(stage, step, a, b, UlpDistance(a, b), a == b ? 0 : Math.Abs(((double)a - b) / a));

    /// <summary>Floats between two: units in the last place, across zero too.</summary>
    public static long UlpDistance(float a, float b)
    {
        // floats in order on one line of integers
        static long Line(int bits) => bits >= 0 ? bits : -(long)(bits & int.MaxValue);
        return Math.Abs(Line(BitConverter.SingleToInt32Bits(a)) - Line(BitConverter.SingleToInt32Bits(b)));
    }
}
