namespace LutNative.Model.Tensors;

/// <summary>
/// The tensors of a network in registration order, laid out in one flat buffer. Student, teacher, gradients and
/// optimiser moments are flat buffers of the same layout, so averaging, updating, reducing and hashing are single
/// passes over memory.
/// </summary>
public sealed class StateLayout
{
    private readonly List<Entry> entries = [];
    private readonly Dictionary<string, Entry> byName = [];
    private readonly List<string> counters = [];

    public IReadOnlyList<Entry> Entries => entries;

    /// <summary>Names of int64 scalars (num_batches_tracked), kept beside the floats.</summary>
    public IReadOnlyList<string> Counters => counters;

    /// <summary>Trained weights of linear layers (and of convolutions that are products).</summary>
    public IEnumerable<Entry> Matrices => entries.Where(e => e.Kind == EntryKind.Parameter && e.Shape.Length is 2 or 4);

    /// <summary>Length of a flat buffer, padding included.</summary>
    public long Length { get; private set; }

    public long ParameterCount =>
        entries.Where(e => e.Kind == EntryKind.Parameter).Aggregate(0L, (a, e) => a + e.Count);

    public Entry Add(string name, int[] shape, EntryKind kind = EntryKind.Parameter)
    {
        var entry = new Entry(name, shape, kind, Length, entries.Count);
        byName.Add(name, entry);
        entries.Add(entry);
        Length += (entry.Count + 15) / 16 * 16;
        return entry;
    }

    public int CounterOf(string name) => counters.IndexOf(name);

    public int AddCounter(string name)
    {
        counters.Add(name);
        return counters.Count - 1;
    }

    /// <summary>The tensor that holds a place of the flat buffer, or null between two.</summary>
    public Entry? At(long offset) => entries.FirstOrDefault(e => offset >= e.Offset && offset < e.Offset + e.Count);

    public Entry? Find(string name) => byName.GetValueOrDefault(name);

    public Entry this[string name] =>
        byName.TryGetValue(name, out var e) ? e : throw new ShapeException($"the network has no tensor named {name}");
}
