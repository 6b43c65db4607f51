namespace LutNative.Results;

/// <summary>
/// The rows of two runs by their keys. Both are read side by side: rows that come in the same order, as they do in runs
/// of one protocol, never wait for each other, others wait until the other side has them.
/// </summary>
internal sealed class RowPairs(IEnumerable<RowAt> a, IEnumerable<RowAt> b)
{
    private readonly Dictionary<UInt128, (RowAt Row, long Number)> waitingA = [];
    private readonly Dictionary<UInt128, RowAt> waitingB = [];
    private long onlyA;
    private long onlyB;

    /// <summary>Rows that only one has; known when all pairs have been looked at.</summary>
    internal int OnlyA => checked((int)(onlyA + waitingA.Count));
    internal int OnlyB => checked((int)(onlyB + waitingB.Count));

    /// <summary>Pairs, with the row's number in A.</summary>
    internal IEnumerable<(RowAt A, RowAt B, long Number)> All()
    {
        using var left = a.GetEnumerator();
        using var right = b.GetEnumerator();
        bool hasA = left.MoveNext();
        bool hasB = right.MoveNext();
        for (long number = 0; hasA || hasB; number++)
        {
            var x = hasA ? left.Current : default;
            var y = hasB ? right.Current : default;
            if (hasA && hasB && x.Key == y.Key)
                yield return (x, y, number);
            else
            {
                if (hasA && Other(x, number, hasB) is { } other)
                    yield return (x, other, number);
                if (hasB && Other(y, hasA) is { } earlier)
                    yield return (earlier.Row, y, earlier.Number);
            }
            hasA = hasA && left.MoveNext();
            hasB = hasB && right.MoveNext();
        }
    }

    /// <summary>B's row of this key; else A's waits for it, where more are to come.</summary>
    private RowAt? Other(RowAt row, long number, bool more)
    {
        if (waitingB.Remove(row.Key, out var other))
            return other;
        if (more)
            waitingA.Add(row.Key, (row, number));
        else
            onlyA++;
        return null;
    }

    private (RowAt Row, long Number)? Other(RowAt row, bool more)
    {
        if (waitingA.Remove(row.Key, out var other))
            return other;
        if (more)
            waitingB.Add(row.Key, row);
        else
            onlyB++;
        return null;
    }
}
