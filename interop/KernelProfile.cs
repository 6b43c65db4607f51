namespace LutNative.Interop;

/// <summary>What does the arithmetic of a launch.</summary>
public enum Unit
{
    Float32,
    TensorCoreTf32,
    TensorCoreBf16,
}

/// <summary>The work in one launch.</summary>
/// <param name="Flops">Two for a multiply-add; 0 where memory is all that counts.</param>
/// <param name="Bytes">Of the tensors it reads and writes, each once.</param>
/// <param name="Share">
/// The part of a full device that can work on it: ragged tiles and the last wave's idle multiprocessors are the rest.
/// </param>
public readonly record struct Work(double Flops, double Bytes, Unit Unit = Unit.Float32, double Share = 1);

/// <summary>One kind of launch in a profile.</summary>
/// <param name="Milliseconds">Measured on the device, all launches together; 0 where nothing runs.</param>
public sealed record KernelRow(string Name, int Launches, IReadOnlyDictionary<Work, int> Works, double Milliseconds);

/// <summary>
/// Counts what a queue is asked for, by kernel, and measures it with a pair of events around each launch. While a queue
/// has one, no step becomes a graph, and a launch's own few microseconds are part of what is measured.
/// </summary>
public sealed class KernelProfile
{
    private sealed class Row
    {
        public int Launches;
        public readonly Dictionary<Work, int> Works = [];
        public double Milliseconds;
    }

    private readonly Dictionary<string, Row> rows = new(StringComparer.Ordinal);
    private readonly List<(nint Begin, nint End, Row Row)> pending = [];
    private readonly Stack<nint> free = new();

    /// <summary>Rows, longest first where they were measured, otherwise in order of first use.</summary>
    public IReadOnlyList<KernelRow> Rows =>
        [
            .. rows.Select(r => new KernelRow(r.Key, r.Value.Launches, r.Value.Works, r.Value.Milliseconds))
                .OrderByDescending(r => r.Milliseconds),
        ];

    internal void Around(PrimaryContext context, nint stream, string name, in Work work, Action launch)
    {
        if (!rows.TryGetValue(name, out var row))
            rows.Add(name, row = new Row());
        row.Launches++;
        row.Works[work] = row.Works.GetValueOrDefault(work) + 1;
        nint begin = Event(context);
        nint end = Event(context);
        context.Check(context.Driver.EventRecord(begin, stream), "cuEventRecord");
        launch();
        context.Check(context.Driver.EventRecord(end, stream), "cuEventRecord");
        pending.Add((begin, end, row));
    }

    /// <summary>After a wait: the events that have passed.</summary>
    internal void Collect(PrimaryContext context)
    {
        foreach (var (begin, end, row) in pending)
        {
            context.Check(context.Driver.EventElapsedTime(out float ms, begin, end), "cuEventElapsedTime");
            row.Milliseconds += ms;
            free.Push(begin);
            free.Push(end);
        }
        pending.Clear();
    }

    internal void Destroy(PrimaryContext context)
    {
        foreach (nint e in free)
            context.Driver.EventDestroy(e);
        free.Clear();
    }

    private nint Event(PrimaryContext context)
    {
        if (free.TryPop(out nint e))
            return e;
        context.Check(context.Driver.EventCreate(out e, 0), "cuEventCreate");
        return e;
    }
}
