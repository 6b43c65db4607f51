namespace LutNative.Results;

/// <summary>
/// What tells a table's rows apart. Where a table is compared row by row, two rows with one key have no meaning: the
/// folder was written by two, or is damaged.
/// </summary>
public static class TableKeys
{
    private static readonly Dictionary<string, string[]> ByTable = new()
    {
        // a run is one row
        [Schema.Run.Name] = [],
        [Schema.Steps.Name] = ["stage", "step"],
        [Schema.Digests.Name] = ["stage", "step", "tensor"],
        [Schema.Operations.Name] = ["stage", "step", "ordinal", "phase", "op", "tensor", "output"],
        [Schema.Evals.Name] = ["metric"],
        [Schema.Predictions.Name] = ["metric", "sample_index"],
        [Schema.Throughput.Name] = ["run_id", "shape", "stage", "method", "batch", "launch", "block"],
    };

    /// <summary>
    /// The columns of a table's key; null where rows need none (events, telemetry, what a machine has).
    /// </summary>
    public static IReadOnlyList<string>? Of(TableSchema schema) => ByTable.GetValueOrDefault(schema.Name);

    /// <summary>The first key that a second row has as well, for people; null when there is none.</summary>
    public static string? FirstTwice(Table table)
    {
        if (Of(table.Schema) is not { } names)
            return null;
        int[] key = [.. names.Select(table.Schema.IndexOf)];
        var seen = new HashSet<object?[]>(new ByKey(key));
        foreach (var row in table.Rows)
            if (!seen.Add(row))
                return key.Length == 0
                    ? "a row"
                    : string.Join(" ", names.Select((n, k) => $"{n}={Table.Show(row[key[k]])}"));
        return null;
    }

    private sealed class ByKey(int[] key) : IEqualityComparer<object?[]>
    {
        public bool Equals(object?[]? x, object?[]? y) => key.All(i => Equals(x![i], y![i]));

        public int GetHashCode(object?[] row)
        {
            var hash = default(HashCode);
            foreach (int i in key)
                hash.Add(row[i]);
            return hash.ToHashCode();
        }
    }
}
