using System.Buffers;
using LutNative.Model.Tensors;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// A tensor that lies in a file. Elements are read in pieces, at 64-bit offsets, in the tensor's own (row-major) order
/// whatever their order in the file. Valid as long as its file is open.
/// </summary>
public sealed class FileTensor
{
    /// <summary>
    /// Elements of another order than row-major lie within so many bytes, or are read in small windows.
    /// </summary>
    private const long WholeSpan = 256L << 20;

    private const int Window = 1 << 16;
    private const int ChunkBytes = 1 << 20;
    private readonly TensorFile file;
    private readonly long offset;
    private readonly long[]? strides;
    private readonly FileTensor[] parts = [];

    /// <param name="offset">Of the first element, in bytes from the file's beginning.</param>
    /// <param name="bytes">What the tensor takes in the file; of a known type Count times its width.</param>
    /// <param name="strides">In elements; null for row-major order without gaps.</param>
    internal FileTensor(
        TensorFile file,
        string name,
        string type,
        long[] shape,
        long offset,
        long bytes,
        long[]? strides = null
    )
    {
        this.file = file;
        this.offset = offset;
        this.strides = strides;
        Name = name;
        Type = type;
        Shape = shape;
        Bytes = bytes;
        Count = shape.Aggregate(1L, (a, b) => checked(a * b));
    }

    /// <summary>Several tensors, one after the other along their first axis.</summary>
    private FileTensor(string name, FileTensor[] parts)
        : this(
            parts[0].file,
            name,
            parts[0].Type,
            [parts.Aggregate(0L, (a, t) => a + t.Shape[0]), .. parts[0].Shape.Skip(1)],
            0,
            parts.Aggregate(0L, (a, t) => a + t.Bytes)
        ) => this.parts = parts;

    public string Name { get; }

    /// <summary>As safetensors names it: F32, BF16, I64, ...</summary>
    public string Type { get; }

    public IReadOnlyList<long> Shape { get; }
    public long Count { get; }
    public long Bytes { get; }
    internal long Offset => offset;
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>The same elements under another name.</summary>
    internal FileTensor As(string name) =>
        parts.Length > 0
            ? new FileTensor(name, parts)
            : new FileTensor(file, name, Type, [.. Shape], offset, Bytes, strides);

    /// <summary>Null when they do not fit together.</summary>
    internal static FileTensor? Concatenate(string name, FileTensor[] parts) =>
        parts.All(t =>
            t.Shape.Count > 0
            && t.Type == parts[0].Type
            && t.parts.Length == 0
            && t.Shape.Skip(1).SequenceEqual(parts[0].Shape.Skip(1))
        )
            ? new FileTensor(name, parts)
            : null;

    /// <summary>Elements [first, first + to.Length) as binary32.</summary>
    /// <exception cref="CheckpointException">
    /// They are no floating-point numbers, or the file ends before them.
    /// </exception>
    public void Read(long first, Span<float> to)
    {
        if (!ElementType.IsFloat(Type))
            throw new CheckpointException($"{file.Path}: tensor {Name} is {Type}, not a floating-point number");
        if (parts.Length > 0)
        {
            foreach (var t in parts)
            {
                int n = (int)Math.Clamp(t.Count - first, 0, to.Length);
                if (n > 0)
                    t.Read(first, to[..n]);
                to = to[n..];
                first = Math.Max(0, first - t.Count);
            }
            return;
        }
        if (Type == "F32" && strides is null)
        {
            file.Read(offset + first * sizeof(float), System.Runtime.InteropServices.MemoryMarshal.AsBytes(to));
            return;
        }
        int width = ElementType.WidthOf(Type)!.Value;
        int chunk = ChunkBytes / width;
        byte[] raw = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        for (int done = 0; done < to.Length; done += chunk)
        {
            int n = Math.Min(chunk, to.Length - done);
            ReadRaw(first + done, raw.AsSpan(0, n * width), width);
            ElementType.Widen(Type, raw.AsSpan(0, n * width), to.Slice(done, n));
        }
        ArrayPool<byte>.Shared.Return(raw);
    }

    /// <summary>All values; for small tensors.</summary>
    public float[] Floats()
    {
        var values = new float[Count];
        Read(0, values);
        return values;
    }

    /// <summary>Into a tensor of as many elements, through a buffer.</summary>
    public void CopyTo(State state, Entry e, float[] buffer)
    {
        if (Count != e.Count)
            throw new ShapeException($"tensor {Name} {ShapeText} of a file where {e} is needed");
        for (long done = 0; done < e.Count; done += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, e.Count - done));
            Read(done, piece);
            state.Write(e, done, piece);
        }
    }

    /// <summary>The only element of an integer counter.</summary>
    public long Counter()
    {
        if (Type != "I64" || Count != 1)
            throw new CheckpointException($"{file.Path}: tensor {Name} is {Type} {ShapeText}, not one I64");
        Span<byte> raw = stackalloc byte[8];
        file.Read(offset, raw);
        return System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(raw);
    }

    /// <summary>Bytes of the tensor as they lie in the file, from byte first of it on.</summary>
    public void ReadBytes(long first, Span<byte> to) => file.Read(offset + first, to);

    /// <summary>The elements' own bytes, from element first on, as they would lie row-major.</summary>
    internal void ReadRaw(long first, Span<byte> to, int width)
    {
        if (strides is null)
            file.Read(offset + first * width, to);
        else
            Gather(first, to, width);
    }

    private void Gather(long first, Span<byte> to, int width)
    {
        long span = 1;
        for (int axis = 0; axis < Shape.Count; axis++)
            span += (Shape[axis] - 1) * strides![axis];
        span *= width;
        var window = file.WindowOf(this, (int)(span <= WholeSpan ? span : Window));
        var index = new long[Shape.Count];
        long rest = first;
        for (int axis = Shape.Count - 1; axis >= 0; axis--)
            (rest, index[axis]) = Math.DivRem(rest, Shape[axis]);
        for (int done = 0; done < to.Length; done += width)
        {
            long at = 0;
            for (int axis = 0; axis < index.Length; axis++)
                at += index[axis] * strides![axis];
            at *= width;
            window.At(at, width, span).CopyTo(to[done..]);
            for (int axis = index.Length - 1; axis >= 0 && ++index[axis] == Shape[axis]; axis--)
                index[axis] = 0;
        }
    }
}
