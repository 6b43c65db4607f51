namespace LutNative.Results;

public enum ExactVerdict
{
    Identical,
    IdenticalPrefix,
    Diverged,
    Missing,
    Incomparable,
}

/// <summary>One rung of the ladder from cause to effect.</summary>
/// <param name="Compared">Values that both runs recorded.</param>
/// <param name="Differ">Of them, how many differ.</param>
/// <param name="First">Where the first that differs is: stage and step, or the metric; null when none does.</param>
public sealed record Rung(string Name, int Compared, int Differ, string? First);

/// <summary>The first step that two runs do not share.</summary>
public sealed record FirstStep(string Stage, long Step);

/// <param name="Verdict">What the comparison found.</param>
/// <param name="First">
/// The first difference in execution order: stage, step, what, both values; null when there is none.
/// </param>
/// <param name="Details">Further lines: how many rows of each table were compared and how many differ.</param>
public sealed record ExactReport(ExactVerdict Verdict, string? First, IReadOnlyList<string> Details)
{
    /// <summary>Rows compared, by table.</summary>
    public IReadOnlyDictionary<string, int> Compared { get; init; } = new Dictionary<string, int>();

    public IReadOnlyList<Rung> Ladder { get; init; } = [];

    /// <summary>
    /// Where the first differing row of steps, operations or digests is; null when only evaluations differ.
    /// </summary>
    public FirstStep? At { get; init; }
}

/// <summary>
/// Two runs, compared by bits and never by tolerance. Comparable only when protocol values, data and contract are the
/// same. The ladder inside a step goes from cause to effect: samples drawn, pixels, masks, operations where they were
/// recorded, losses and norms, the state tensor by tensor; then evaluations.
/// </summary>
public static class Comparison
{
    private static readonly string[] StageOrder = [.. StageId.Trained.Select(s => s.Name)];
    private static readonly string[] Rungs =
    [
        "data order",
        "pixels",
        "masks",
        "operations",
        "losses and norms",
        "state",
        "evaluations",
        "predictions",
    ];

    public static ExactReport Exact(RunStore a, RunStore b)
    {
        if (Obstacles(a, b) is { Count: > 0 } obstacles)
            return new ExactReport(ExactVerdict.Incomparable, null, obstacles);
        Side steps = Rows(a, b, Schema.Steps, ["stage", "step"]);
        Side operations = Rows(
            a,
            b,
            Schema.Operations,
            ["stage", "step", "ordinal", "phase", "op", "tensor", "output"]
        );
        Side digests = Rows(a, b, Schema.Digests, ["stage", "step", "tensor"]);
        Side evals = Rows(a, b, Schema.Evals, ["metric"]);
        Side predictions = Rows(a, b, Schema.Predictions, ["metric", "sample_index"]);
        // operations are recorded when somebody asks: on one side alone they say nothing
        Side[] all =
            operations.Common > 0
                ? [steps, operations, digests, evals, predictions]
                : [steps, digests, evals, predictions];
        var first = all.SelectMany(s => s.Differences).MinBy(d => (d.Stage, d.Step, d.Rung, d.Ordinal));
        bool prefix = steps.OnlyA > 0 != steps.OnlyB > 0 || evals.OnlyA > 0 != evals.OnlyB > 0;
        var verdict =
            first is not null ? ExactVerdict.Diverged
            : all.Sum(s => s.Common) == 0 ? ExactVerdict.Missing
            : all.All(s => s.OnlyA == 0 && s.OnlyB == 0) ? ExactVerdict.Identical
            : prefix ? ExactVerdict.IdenticalPrefix
            : ExactVerdict.Missing;
        return new ExactReport(
            verdict,
            first?.Text,
            [
                .. all.Select(s =>
                    $"{s.Table}: {s.Common} rows compared, {s.Rows} differ, {s.OnlyA} only in A, {s.OnlyB} only in B"
                ),
            ]
        )
        {
            Compared = all.ToDictionary(s => s.Table, s => s.Common),
            Ladder = [.. Rungs.Select((name, r) => RungOf(name, r, all)).Where(r => r.Compared > 0)],
            At = first is { Rung: < 6 } ? new FirstStep(StageOrder[first.Stage], first.Step) : null,
        };
    }

    /// <summary>
    /// Why two runs are different experiments, so that their bits say nothing about each other; empty when they are the
    /// same one.
    /// </summary>
    public static IReadOnlyList<string> Obstacles(RunStore a, RunStore b)
    {
        RunFacts x = RunFacts.Of(a);
        RunFacts y = RunFacts.Of(b);
        var lines = RunFacts.Different(x, y).Select(k => $"{k}: {x[k]} is not {y[k]}").ToList();
        if (lines.Count > 0)
            lines.Add($"protocols: {x.Name}, and {y.Name}");
        if (RunFacts.Different(x, y).Contains("math_hash"))
            lines.AddRange(ConfigDifference.Of(a, b));
        if (x[RunFacts.Weights] is { } p && y[RunFacts.Weights] is { } q && p != q)
            lines.Add(
                $"{RunFacts.Weights}: {p} ({FileOf(a)}) is not {q} ({FileOf(b)}): the two began with other weights"
            );
        return lines;
    }

    private static string FileOf(RunStore run)
    {
        var events = run.Read(Schema.Events);
        int key = Schema.Events.IndexOf("key");
        int value = Schema.Events.IndexOf("value");
        string? said = (string?)events.Rows.LastOrDefault(r => (string)r[key]! == RunFacts.Weights)?[value];
        return said?.Split(' ', 2) is [_, var file] ? file : "file not recorded";
    }

    /// <param name="Stage">Place in the order of stages; behind them for evaluations.</param>
    private sealed record Difference(int Stage, long Step, int Rung, long Ordinal, string Where, string Text);

    /// <param name="Rows">
    /// Rows that differ anywhere; <paramref name="Differences"/> has one entry for each rung that a row differs on.
    /// </param>
    /// <param name="Counts">Values compared, by rung.</param>
    private sealed record Side(
        string Table,
        int Common,
        int OnlyA,
        int OnlyB,
        int Rows,
        List<Difference> Differences,
        int[] Counts
    );

    private static Side Rows(RunStore a, RunStore b, TableSchema schema, string[] labels)
    {
        int[] key = [.. labels.Select(schema.IndexOf)];
        (int Column, int Rung)[] exact =
        [
            .. Enumerable
                .Range(0, schema.Columns.Count)
                .Where(i => schema.Columns[i].Exact)
                .Select(i => (i, RungOf(schema, schema.Columns[i].Name)))
                .OrderBy(c => c.Item2),
        ];
        int stage = Array.IndexOf(labels, "stage") is var s and >= 0 ? key[s] : -1;
        int step = Array.IndexOf(labels, "step") is var t and >= 0 ? key[t] : -1;
        string Key(object?[] row) => string.Join('|', key.Select(i => Table.Show(row[i])));
        var left = a.Read(schema).Rows;
        var right = b.Read(schema).Rows.ToDictionary(Key);
        var differences = new List<Difference>();
        int[] counts = new int[Rungs.Length];
        int common = 0;
        int rows = 0;
        for (int r = 0; r < left.Count; r++)
        {
            var x = left[r];
            if (!right.Remove(Key(x), out var y))
                continue;
            common++;
            int seen = -1; // one difference a rung
            foreach (var (i, rung) in exact)
            {
                if (x[i] is not null && y[i] is not null)
                    counts[rung]++;
                if (rung == seen || !Differs(schema.Columns[i], x[i], y[i]))
                    continue;
                if (seen < 0)
                    rows++;
                seen = rung;
                string at = string.Join(" ", labels.Select((l, k) => $"{l}={Table.Show(x[key[k]])}"));
                // the whole state's digest comes after the tensors that it is made of
                differences.Add(
                    new Difference(
                        stage < 0 ? StageOrder.Length : Order((string)x[stage]!),
                        step < 0 ? 0 : (long)x[step]!,
                        rung,
                        schema.Columns[i].Name == "state_digest" ? long.MaxValue : r,
                        at,
                        $"{schema.Name}: {at} {schema.Columns[i].Name}: {Values(schema, x, i)} is not {Values(schema, y, i)}"
                    )
                );
            }
        }
        return new Side(schema.Name, common, left.Count - common, right.Count, rows, differences, counts);
    }

    /// <summary>By bits. What an older version did not record cannot differ.</summary>
    private static bool Differs(Column c, object? x, object? y) =>
        x is null != y is null ? c.Since == 0 : !Table.Bytes(x).AsSpan().SequenceEqual(Table.Bytes(y));

    /// <summary>Where a column stands on the ladder.</summary>
    private static int RungOf(TableSchema schema, string column) =>
        (schema.Name, column) switch
        {
            ("steps", "batch_ids_digest" or "stage" or "step" or "epoch" or "images_seen" or "lr_bits") => 0,
            ("steps", "views_digest") => 1,
            ("steps", "mask_digest") => 2,
            ("operations", _) => 3,
            ("steps", "state_digest") or ("digests", _) => 5,
            ("steps", _) => 4,
            ("evals", _) => 6,
            _ => 7,
        };

    private static Rung RungOf(string name, int rung, Side[] all)
    {
        var differences = all.SelectMany(s => s.Differences).Where(d => d.Rung == rung).ToList();
        return new Rung(
            name,
            all.Sum(s => s.Counts[rung]),
            differences.Count,
            differences.MinBy(d => (d.Stage, d.Step, d.Ordinal))?.Where
        );
    }

    /// <summary>The value, and for bits columns the float they stand for.</summary>
    private static string Values(TableSchema schema, object?[] row, int i)
    {
        string shown = Table.Show(row[i]);
        return row[i] switch
        {
            uint bits => FormattableString.Invariant($"0x{bits:x8} ({BitConverter.UInt32BitsToSingle(bits):R})"),
            long bits when schema.Columns[i].Name.EndsWith("_bits", StringComparison.Ordinal) =>
                FormattableString.Invariant($"0x{bits:x16} ({BitConverter.Int64BitsToDouble(bits):R})"),
            _ => shown,
        };
    }

    private static int Order(string stage) =>
        Array.IndexOf(StageOrder, stage) is var i and >= 0
            ? i
            : throw new ResultsException(
                StoreFault.Unreadable,
                $"there is no stage {stage}",
                "a steps or digests table",
                "stages are " + string.Join(", ", StageOrder),
                "use a newer lut"
            );
}
