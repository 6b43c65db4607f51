using LutNative.Model.Numerics;

namespace LutNative.Model.Tensors;

/// <summary>A whole state: the values in their flat buffer, and the counters.</summary>
public sealed class State
{
    private readonly IMemory memory;

    public State(StateLayout layout, Arena arena)
    {
        Layout = layout;
        memory = arena.Memory;
        Values = arena.Values(layout);
        Counters = new long[layout.Counters.Count];
    }

    public StateLayout Layout { get; }
    public Values Values { get; }
    public long[] Counters { get; }

    public Mat this[Entry e] => Values[e];

    public void Read(Entry e, Span<float> to) => memory.Read(to, this[e]);

    public void Write(Entry e, ReadOnlySpan<float> values) => memory.Write(this[e], values);

    /// <summary>Elements [first, first + to.Length) of a tensor.</summary>
    public void Read(Entry e, long first, Span<float> to) => memory.Read(to, Piece(e, first, to.Length));

    public void Write(Entry e, long first, ReadOnlySpan<float> values) =>
        memory.Write(Piece(e, first, values.Length), values);

    private Mat Piece(Entry e, long first, int count) =>
        first >= 0 && first + count <= e.Count
            ? Values.Slice(e.Offset + first, count)
            : throw new ShapeException(FormattableString.Invariant($"elements {first} to {first + count} of {e}"));

    public Digest DigestOf(Entry e) => memory.DigestOf(this[e]);

    /// <summary>other lies in the same memory.</summary>
    public void CopyFrom(State other)
    {
        foreach (var e in Layout.Entries)
            CopyFrom(e, other, e);
        other.Counters.CopyTo(Counters, 0);
    }

    /// <summary>One tensor from a tensor of another state, in the same memory and of the same size.</summary>
    public void CopyFrom(Entry e, State other, Entry from) => memory.Copy(this[e], other[from]);
}
