using System.Runtime.InteropServices;

namespace LutNative.Model.Tensors;

/// <summary>
/// Owns zeroed, 64-byte aligned memory that lives as long as a run: buffers are allocated once and reused by every step. Memory comes in large chunks,
/// on huge pages where Linux offers them: a product that walks a matrix by columns touches a page a row.
/// </summary>
public sealed unsafe partial class Arena : IDisposable
{
    private const long HugePage = 2L << 20, LeastChunk = 1L << 16, MostChunk = 16L << 20;
    private readonly List<nint> chunks = [];
    private readonly bool counting;
    private byte* next;
    private long left;

    public Arena() { }

    private Arena(bool counting) => this.counting = counting;

    /// <summary>An arena without memory: its tensors must not be read or written, but it knows how much they would take.</summary>
    public static Arena Counting() => new(counting: true);

    /// <summary>Bytes handed out so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes taken from the system for them.</summary>
    public long Committed { get; private set; }

    public Mat Matrix(int rows, int cols) => new(Floats((long)rows * cols), rows, cols);

    public Mat Vector(int cols) => Matrix(1, cols);

    /// <summary>count floats, zeroed; at least one vector is readable past the end.</summary>
    public float* Floats(long count)
    {
        long bytes = (count * sizeof(float) + 127) / 64 * 64;
        Bytes += bytes;
        if (bytes > left)
        {
            left = Math.Max(bytes, Math.Clamp(Bytes, LeastChunk, MostChunk));   // grows with the arena: many are small
            next = NewChunk(left);
        }
        byte* p = next;
        next += bytes;
        left -= bytes;
        return (float*)p;
    }

    public void Dispose()
    {
        foreach (nint p in chunks) NativeMemory.AlignedFree((void*)p);
        chunks.Clear();
        left = 0;
    }

    private byte* NewChunk(long bytes)
    {
        Committed += bytes;
        if (counting) return (byte*)HugePage;   // any address that is not null
        bool large = bytes >= HugePage;
        byte* p = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, large ? (nuint)HugePage : 64);
        if (large && OperatingSystem.IsLinux()) Advise(p, (nuint)bytes, AdviseHugePage);   // advice: where it is refused, small pages do
        NativeMemory.Clear(p, (nuint)bytes);
        chunks.Add((nint)p);
        return p;
    }

    private const int AdviseHugePage = 14;   // MADV_HUGEPAGE, <asm-generic/mman-common.h>

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
