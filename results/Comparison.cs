namespace LutNative.Results;

public enum ExactVerdict { Identical, IdenticalPrefix, Diverged, Missing, Incomparable }

/// <param name="Verdict">What the comparison found.</param>
/// <param name="First">The first difference in execution order: stage, step, what, both values; null when there is none.</param>
/// <param name="Details">Further lines: how many rows of each table were compared and how many differ.</param>
public sealed record ExactReport(ExactVerdict Verdict, string? First, IReadOnlyList<string> Details)
{
    /// <summary>Rows compared, by table.</summary>
    public IReadOnlyDictionary<string, int> Compared { get; init; } = new Dictionary<string, int>();
}

/// <summary>
/// Two runs, compared by bits and never by tolerance. Comparable only when protocol values, data and contract are the same. The
/// ladder inside a step goes from cause to effect: samples drawn, losses, gradient norm, then the state tensor by tensor.
/// </summary>
public static class Comparison
{
    private static readonly string[] StageOrder = ["pretrain", "linprobe", "finetune", "scratch"];

    public static ExactReport Exact(RunStore a, RunStore b)
    {
        Table runA = a.Read(Schema.Run), runB = b.Read(Schema.Run);
        if (runA.Rows.Count > 0 && runB.Rows.Count > 0)
        {
            var different = new[] { "contract", "math_hash", "data_hash" }.Where(k => runA.Get<string>(0, k) != runB.Get<string>(0, k)).ToArray();
            if (different.Length > 0)
                return new ExactReport(ExactVerdict.Incomparable, null, [.. different.Select(k => $"{k}: {runA.Get<string>(0, k)} is not {runB.Get<string>(0, k)}"),
                    $"protocols: {runA.Get<string>(0, "protocol")} seed {runA.Get<long>(0, "seed")}, and {runB.Get<string>(0, "protocol")} seed {runB.Get<long>(0, "seed")}"]);
        }
        var steps = Rows(a, b, Schema.Steps, r => $"{Order((string)r[1]!)}|{(long)r[2]!:d12}", ["stage", "step"]);
        var digests = Rows(a, b, Schema.Digests, r => $"{Order((string)r[1]!)}|{(long)r[2]!:d12}|{(int)r[3]!:d6}", ["stage", "step", "tensor"]);
        var evals = Rows(a, b, Schema.Evals, r => (string)r[1]!, ["metric"]);
        var predictions = Rows(a, b, Schema.Predictions, r => $"{r[1]}|{(int)r[2]!:d9}", ["metric", "sample_index"]);
        Side[] all = [steps, digests, evals, predictions];
        var details = all.Select(s => $"{s.Table}: {s.Common} rows compared, {s.Differences.Count} differ, {s.OnlyA} only in A, {s.OnlyB} only in B").ToList();
        // a step row before the digests of the same step: what entered comes before what came out
        var first = steps.Differences.Concat(digests.Differences).OrderBy(d => d.Key.Split('|')[0]).ThenBy(d => d.Key.Split('|')[1], StringComparer.Ordinal).ThenBy(d => d.Key.Count(c => c == '|')).ThenBy(d => d.Key, StringComparer.Ordinal)
            .Concat(evals.Differences).Concat(predictions.Differences).FirstOrDefault();
        bool prefix = steps.OnlyA > 0 != steps.OnlyB > 0 || evals.OnlyA > 0 != evals.OnlyB > 0;
        var verdict = first is not null ? ExactVerdict.Diverged
            : all.Sum(s => s.Common) == 0 ? ExactVerdict.Missing
            : all.All(s => s.OnlyA == 0 && s.OnlyB == 0) ? ExactVerdict.Identical
            : prefix ? ExactVerdict.IdenticalPrefix : ExactVerdict.Missing;
        return new ExactReport(verdict, first?.Text, details) { Compared = all.ToDictionary(s => s.Table, s => s.Common) };
    }

    private sealed record Difference(string Key, string Text);

    private sealed record Side(string Table, int Common, int OnlyA, int OnlyB, List<Difference> Differences);

    private static Side Rows(RunStore a, RunStore b, TableSchema schema, Func<object?[], string> key, string[] labels)
    {
        var left = a.Read(schema).Rows.ToDictionary(key);
        var right = b.Read(schema).Rows.ToDictionary(key);
        var differences = new List<Difference>();
        int common = 0;
        foreach (var (k, x) in left.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            if (!right.TryGetValue(k, out var y)) continue;
            common++;
            foreach (int i in CauseFirst(schema).Where(i => !Table.Bytes(x[i]).AsSpan().SequenceEqual(Table.Bytes(y[i])) || x[i] is null != y[i] is null))
            {
                string at = string.Join(" ", labels.Select(l => $"{l}={Table.Show(x[schema.IndexOf(l)])}"));
                // the whole state's digest comes after the tensors that it is made of
                differences.Add(new Difference(schema.Columns[i].Name == "state_digest" ? k + "|~" : k, $"{schema.Name}: {at} {schema.Columns[i].Name}: {Values(schema, x, i)} is not {Values(schema, y, i)}"));
                break;
            }
        }
        return new Side(schema.Name, common, left.Keys.Count(k => !right.ContainsKey(k)), right.Keys.Count(k => !left.ContainsKey(k)), differences);
    }

    /// <summary>Exact columns, the digest of the drawn samples first and the state's digest last.</summary>
    private static IEnumerable<int> CauseFirst(TableSchema schema) =>
        Enumerable.Range(0, schema.Columns.Count).Where(i => schema.Columns[i].Exact).OrderBy(i => schema.Columns[i].Name switch { "batch_ids_digest" => 0, "state_digest" => 2, _ => 1 });

    /// <summary>The value, and for bits columns the float they stand for.</summary>
    private static string Values(TableSchema schema, object?[] row, int i)
    {
        string shown = Table.Show(row[i]);
        return row[i] switch
        {
            uint bits => FormattableString.Invariant($"0x{bits:x8} ({BitConverter.UInt32BitsToSingle(bits):R})"),
            long bits when schema.Columns[i].Name.EndsWith("_bits", StringComparison.Ordinal) => FormattableString.Invariant($"0x{bits:x16} ({BitConverter.Int64BitsToDouble(bits):R})"),
            _ => shown,
        };
    }

    private static int Order(string stage) => Array.IndexOf(StageOrder, stage) is var i and >= 0 ? i : StageOrder.Length;
}
