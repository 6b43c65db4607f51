using System.Runtime.InteropServices;

namespace LutNative.Model.Tensors;

/// <summary>
/// Owns zeroed, 64-byte aligned memory that lives as long as a run: buffers are allocated once and reused by every step.
/// </summary>
public sealed unsafe class Arena : IDisposable
{
    private readonly List<nint> blocks = [];

    /// <summary>Bytes handed out so far.</summary>
    public long Bytes { get; private set; }

    public Mat Matrix(int rows, int cols) => new(Floats((long)rows * cols), rows, cols);

    public Mat Vector(int cols) => Matrix(1, cols);

    /// <summary>count floats, zeroed; at least one vector is readable past the end.</summary>
    public float* Floats(long count)
    {
        nuint bytes = (nuint)((count * sizeof(float) + 127) / 64 * 64);
        void* p = NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(p, bytes);
        blocks.Add((nint)p);
        Bytes += (long)bytes;
        return (float*)p;
    }

    public void Dispose()
    {
        foreach (nint p in blocks) NativeMemory.AlignedFree((void*)p);
        blocks.Clear();
    }
}
