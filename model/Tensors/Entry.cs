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

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
