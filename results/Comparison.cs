namespace LutNative.Results;

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
        Side steps = Rows(a, b, Schema.Steps);
        Side operations = Rows(a, b, Schema.Operations);
        Side digests = Rows(a, b, Schema.Digests);
        Side evals = Rows(a, b, Schema.Evals);
        Side predictions = Rows(a, b, Schema.Predictions);
        // operations are recorded when somebody asks: on one side alone they say nothing
        Side[] all =
            operations.Common > 0
                ? [steps, operations, digests, evals, predictions]
                : [steps, digests, evals, predictions];
        var first = all.SelectMany(s => s.Firsts).OfType<Difference>().MinBy(d => d.Place);
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
            At = first is { Place.Rung: < 6 } ? new FirstStep(StageOrder[first.Place.Stage], first.Place.Step) : null,
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
        string? said = run.Rows(Schema.Events).LastOrDefault(e => e.Key == RunFacts.Weights)?.Value;
        return said?.Split(' ', 2) is [_, var file] ? file : "file not recorded";
    }

    /// <summary>Where a difference stands in the order of execution.</summary>
    /// <param name="Stage">Place in the order of stages; behind them for evaluations.</param>
    /// <param name="Ordinal">Of the row in A.</param>
    private readonly record struct Place(int Stage, long Step, int Rung, long Ordinal) : IComparable<Place>
    {
        public int CompareTo(Place other) =>
            (Stage, Step, Rung, Ordinal).CompareTo((other.Stage, other.Step, other.Rung, other.Ordinal));
    }

    private sealed record Difference(Place Place, string Where, string Text);

    /// <summary>What a table's rows say.</summary>
    private sealed class Side(string table)
    {
        internal string Table { get; } = table;
        internal int Common { get; set; }
        internal int OnlyA { get; set; }
        internal int OnlyB { get; set; }

        /// <summary>Rows that differ anywhere.</summary>
        internal int Rows { get; set; }

        /// <summary>Values compared, by rung.</summary>
        internal int[] Counts { get; } = new int[Rungs.Length];

        /// <summary>Rows that differ, by rung.</summary>
        internal int[] Differ { get; } = new int[Rungs.Length];

        /// <summary>The first difference of each rung; null where nothing differs.</summary>
        internal Difference?[] Firsts { get; } = new Difference?[Rungs.Length];
    }

    private static Side Rows(RunStore a, RunStore b, TableSchema schema)
    {
        var columns = schema.Columns;
        (int Column, int Rung)[] exact =
        [
            .. Enumerable
                .Range(0, columns.Count)
                .Where(c => columns[c].Exact)
                .Select(c => (c, RungOf(schema, columns[c])))
                .OrderBy(c => c.Item2),
        ];
        var side = new Side(schema.Name);
        var pairs = new RowPairs(a.Keyed(schema), b.Keyed(schema));
        foreach (var (x, y, number) in pairs.All())
        {
            side.Common++;
            int seen = -1; // one difference a rung
            foreach (var (c, rung) in exact)
            {
                var left = x.Columns[c];
                var right = y.Columns[c];
                bool recorded = !left.IsNull(x.Row) && !right.IsNull(y.Row);
                if (recorded)
                    side.Counts[rung]++;
                if (rung == seen || !Differs(columns[c], left, x.Row, right, y.Row))
                    continue;
                if (seen < 0)
                    side.Rows++;
                seen = rung;
                side.Differ[rung]++;
                var place = PlaceOf(schema, columns[c], x, rung, number);
                if (side.Firsts[rung] is { } first && first.Place.CompareTo(place) <= 0)
                    continue;
                string at = Label(schema, x);
                string values = $"{columns[c].Describe(left[x.Row])} is not {columns[c].Describe(right[y.Row])}";
                side.Firsts[rung] = new Difference(place, at, $"{schema.Name}: {at} {columns[c].Name}: {values}");
            }
        }
        side.OnlyA = pairs.OnlyA;
        side.OnlyB = pairs.OnlyB;
        return side;
    }

    private static Place PlaceOf(TableSchema schema, Column column, RowAt row, int rung, long number)
    {
        int stage = StageOrder.Length;
        long step = 0;
        for (int c = 0; c < row.Columns.Length; c++)
        {
            if (!schema.Columns[c].Key)
                continue;
            if (schema.Columns[c].Property == nameof(StepRow.Stage))
                stage = Order((string)row.Columns[c][row.Row]!);
            if (schema.Columns[c].Property == nameof(StepRow.Step))
                step = (long)row.Columns[c][row.Row]!;
        }
        // the whole state's digest comes after the tensors that it is made of
        bool last = column.Property == nameof(StepRow.StateDigest);
        return new Place(stage, step, rung, last ? long.MaxValue : number);
    }

    /// <summary>A row's key: stage=pretrain step=3.</summary>
    private static string Label(TableSchema schema, RowAt row) =>
        string.Join(
            " ",
            Enumerable
                .Range(0, row.Columns.Length)
                .Where(c => schema.Columns[c].Key)
                .Select(c => $"{schema.Columns[c].Name}={Table.Show(row.Columns[c][row.Row])}")
        );

    /// <summary>By bits. What an older version did not record cannot differ.</summary>
    private static bool Differs(Column column, ColumnValues x, int rowX, ColumnValues y, int rowY) =>
        x.IsNull(rowX) == y.IsNull(rowY) ? !x.Same(rowX, y, rowY) : column.Since == 0;

    /// <summary>Where a column stands on the ladder.</summary>
    private static int RungOf(TableSchema schema, Column column)
    {
        if (schema == Schema.Operations)
            return 3;
        if (schema == Schema.Digests)
            return 5;
        if (schema == Schema.Evals)
            return 6;
        if (schema == Schema.Predictions)
            return 7;
        return column.Property switch
        {
            nameof(StepRow.BatchIdsDigest) or nameof(StepRow.Stage) or nameof(StepRow.Step) => 0,
            nameof(StepRow.Epoch) or nameof(StepRow.ImagesSeen) or nameof(StepRow.LrBits) => 0,
            nameof(StepRow.ViewsDigest) => 1,
            nameof(StepRow.MaskDigest) => 2,
            nameof(StepRow.StateDigest) => 5,
            _ => 4,
        };
    }

    private static Rung RungOf(string name, int rung, Side[] all) =>
        new(
            name,
            all.Sum(s => s.Counts[rung]),
            all.Sum(s => s.Differ[rung]),
            all.Select(s => s.Firsts[rung]).OfType<Difference>().MinBy(d => d.Place)?.Where
        );

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
