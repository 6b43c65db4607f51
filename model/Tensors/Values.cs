namespace LutNative.Model.Tensors;

/// <summary>
/// One float for every element of a layout, in a flat buffer that an <see cref="Arena"/> owns: a network's parameters,
/// moments, or the sum of its gradients. A value type: copies are views of the same memory.
/// </summary>
public readonly unsafe struct Values
{
    private readonly float* data;

    internal Values(float* data, StateLayout layout)
    {
        this.data = data;
        Layout = layout;
    }

    public StateLayout Layout { get; }

    /// <summary>A tensor as a matrix, [R, C].</summary>
    public Mat this[Entry e] => new(data + e.Offset, e.Rows, e.Cols);

    /// <summary>count elements from a place of the flat buffer on, [1, count].</summary>
    public Mat Slice(long first, int count) => new(data + first, 1, count);

    /// <summary>The whole flat buffer, padding included; of the host's memory.</summary>
    public Span<float> Span => new(data, checked((int)Layout.Length));

    /// <summary>Which place of the flat buffer an address is, in elements; null for any other.</summary>
    public long? OffsetOf(nint address)
    {
        long bytes = address - (nint)data;
        return bytes >= 0 && bytes < Layout.Length * sizeof(float) ? bytes / sizeof(float) : null;
    }
}

/// <summary>
/// Gradients of a layout's tensors: one, or those of L leaves, each tensor's beside each other.
/// </summary>
public readonly unsafe struct Gradient
{
    private readonly float* data;

    internal Gradient(float* data, StateLayout layout, int leaves = 1)
    {
        this.data = data;
        Layout = layout;
        Leaves = leaves;
    }

    public StateLayout Layout { get; }
    public int Leaves { get; }

    public bool IsEmpty => data == null;

    /// <summary>[R, C], or [L*R, C].</summary>
    public Mat this[Entry e] => new(data + e.Offset * Leaves, e.Rows * Leaves, e.Cols);

    /// <summary>count elements from a place of the flat buffer on, [1, count]; of one leaf.</summary>
    public Mat Slice(long first, int count) => new(data + first, 1, count);

    /// <summary>Which place of the layout an address is, in elements; null for any other. Of one leaf.</summary>
    public long? OffsetOf(nint address) => new Values(data, Layout).OffsetOf(address);
}
