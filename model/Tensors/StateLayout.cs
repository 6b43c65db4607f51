using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;

namespace LutNative.Model.Tensors;

/// <summary>What an entry of a network's state is.</summary>
public enum EntryKind
{
    /// <summary>Trained: has a gradient and optimiser state.</summary>
    Parameter,

    /// <summary>Never changes (fixed position embeddings), but averaged, saved and hashed with the rest.</summary>
    Fixed,

    /// <summary>Batch-norm statistics: changed by the forward pass.</summary>
    Buffer,
}

/// <summary>One named tensor of a network. The name is the authors' state-dict name, the shape theirs too.</summary>
public sealed class Entry(string name, int[] shape, EntryKind kind, long offset, int index)
{
    /// <summary>Place in registration order.</summary>
    public int Index { get; } = index;

    public string Name { get; } = name;
    public int[] Shape { get; } = shape;
    public EntryKind Kind { get; } = kind;

    /// <summary>Position in the flat buffer, in floats; a multiple of 16.</summary>
    public long Offset { get; } = offset;

    /// <summary>
    /// Rows when used as a matrix: everything but the input axes (conv weights [D, C, p, p] have D rows).
    /// </summary>
    public int Rows { get; } =
        shape.Length switch
        {
            0 or 1 => 1,
            3 => shape[0] * shape[1],
            _ => shape[0],
        };
    public int Cols => (int)(Count / Rows);
    public long Count { get; } = shape.Aggregate(1L, (a, b) => a * b);

    public unsafe Mat In(float* flat) => new(flat + Offset, Rows, Cols);

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}

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

/// <summary>Values of a whole state: the flat buffer and the counters.</summary>
public sealed unsafe class State
{
    private readonly Device device;

    public State(StateLayout layout, Arena arena)
    {
        Layout = layout;
        device = arena.Device ?? new OracleDevice(); // the host's memory: any of its devices moves it
        Data = arena.Floats(layout.Length);
        Counters = new long[layout.Counters.Count];
    }

    public StateLayout Layout { get; }
    public float* Data { get; }
    public long[] Counters { get; }

    public Mat this[Entry e] => e.In(Data);

    public void Read(Entry e, Span<float> to) => device.Read(to, this[e]);

    public void Write(Entry e, ReadOnlySpan<float> values) => device.Write(this[e], values);

    /// <summary>Elements [first, first + to.Length) of a tensor.</summary>
    public void Read(Entry e, long first, Span<float> to) => device.Read(to, Piece(e, first, to.Length));

    public void Write(Entry e, long first, ReadOnlySpan<float> values) =>
        device.Write(Piece(e, first, values.Length), values);

    /// <summary>A tensor of as many elements, from its file through a buffer.</summary>
    public void Write(Entry e, FileTensor from, float[] buffer)
    {
        if (from.Count != e.Count)
            throw new ShapeException($"tensor {from.Name} {from.ShapeText} of a file where {e} is needed");
        for (long done = 0; done < e.Count; done += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, e.Count - done));
            from.Read(done, piece);
            Write(e, done, piece);
        }
    }

    private Mat Piece(Entry e, long first, int count) =>
        first >= 0 && first + count <= e.Count
            ? new Mat(Data + e.Offset + first, 1, count)
            : throw new ShapeException(FormattableString.Invariant($"elements {first} to {first + count} of {e}"));

    public Digest DigestOf(Entry e) => device.DigestOf(this[e]);

    /// <summary>other lies in the same memory.</summary>
    public void CopyFrom(State other)
    {
        foreach (var e in Layout.Entries)
            CopyFrom(e, other, e);
        other.Counters.CopyTo(Counters, 0);
    }

    /// <summary>One tensor from a tensor of another state, in the same memory and of the same size.</summary>
    public void CopyFrom(Entry e, State other, Entry from) => device.Copy(this[e], other[from]);
}
