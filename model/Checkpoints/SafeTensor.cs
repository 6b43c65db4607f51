using System.Runtime.InteropServices;

namespace LutNative.Model.Checkpoints;

/// <summary>One small tensor in memory, to be written, or read whole.</summary>
public sealed record SafeTensor(string Name, string DType, long[] Shape, ReadOnlyMemory<byte> Bytes)
{
    public long Count => Shape.Aggregate(1L, (a, b) => a * b);
    public ReadOnlySpan<float> Floats =>
        DType == "F32"
            ? MemoryMarshal.Cast<byte, float>(Bytes.Span)
            : throw new CheckpointException($"tensor {Name} is {DType}, not F32");
    public ReadOnlySpan<long> Longs =>
        DType == "I64"
            ? MemoryMarshal.Cast<byte, long>(Bytes.Span)
            : throw new CheckpointException($"tensor {Name} is {DType}, not I64");
}
