using System.Runtime.InteropServices;

namespace LutNative.Model.Tensors;

/// <summary>
/// Owns zeroed, 64-byte aligned memory that lives as long as a run: buffers are allocated once and reused by every
/// step. Memory comes in large chunks, on huge pages where Linux offers them: a product that walks a matrix by columns
/// touches a page a row.
/// </summary>
public sealed unsafe partial class Arena : IDisposable
{
    private const long HugePage = 2L << 20;
    private const long Page = 4096;
    private const long LeastChunk = 1L << 16;
    private const long MostChunk = 16L << 20;
    private readonly List<(nint Address, long Bytes)> chunks = [];
    private readonly bool counting;
    private readonly bool separate;
    private readonly Func<long, (IDisposable Owner, nint Address)>? source;
    private readonly List<IDisposable> foreign = [];
    private byte* next;
    private long left;
    private long reserved;

    public Arena() { }

    private Arena(IMemory memory)
    {
        counting = true;
        Memory = memory;
    }

    /// <summary>
    /// An arena of another memory: source gives zeroed chunks, one for each tensor when separate, so that a checker
    /// knows where a tensor ends.
    /// </summary>
    internal Arena(Func<long, (IDisposable Owner, nint Address)> source, IMemory memory, bool separate)
    {
        this.source = source;
        Memory = memory;
        this.separate = separate;
    }

    /// <summary>Which memory this is part of.</summary>
    public IMemory Memory { get; } = HostMemory.Instance;

    /// <summary>
    /// An arena without memory: its tensors must not be read or written, but it knows how much they would take.
    /// </summary>
    public static Arena Counting(IMemory? memory = null) => new(memory ?? HostMemory.Instance);

    /// <summary>Bytes handed out so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Bytes taken for them: pages of the host cost nothing until they are written, a device's memory is all taken.
    /// </summary>
    public long Taken => Memory.OnHost ? Bytes : reserved;

    public Mat Matrix(int rows, int cols) => new(Floats((long)rows * cols), rows, cols);

    public Mat Vector(int cols) => Matrix(1, cols);

    /// <summary>A zeroed value for every element of a layout.</summary>
    public Values Values(StateLayout layout) => new(Floats(layout.Length), layout);

    /// <summary>Zeroed gradients of a layout's tensors, for so many leaves.</summary>
    public Gradient Gradient(StateLayout layout, int leaves = 1) => new(Floats(layout.Length * leaves), layout, leaves);

    /// <summary>count floats, zeroed; at least one vector is readable past the end.</summary>
    internal float* Floats(long count)
    {
        long bytes = (count * sizeof(float) + 127) / 64 * 64;
        Bytes += bytes;
        if (separate)
            return (float*)NewChunk(count * sizeof(float));
        if (bytes > left)
        {
            // grows with the arena, since many are small; a device's memory is scarcer than the host's pages, which
            // cost nothing until they are written
            left = Math.Max(bytes, Math.Clamp(Memory.OnHost ? Bytes : Bytes / 8, LeastChunk, MostChunk));
            reserved += left;
            next = NewChunk(left);
        }
        byte* p = next;
        next += bytes;
        left -= bytes;
        return (float*)p;
    }

    public void Dispose()
    {
        foreach (var (p, bytes) in chunks)
            if (OnHugePages(bytes))
                _ = Unmap((void*)p, (nuint)bytes);
            else
                NativeMemory.AlignedFree((void*)p);
        chunks.Clear();
        foreach (var owner in foreign)
            owner.Dispose();
        foreign.Clear();
        left = 0;
    }

    private static bool OnHugePages(long bytes) => bytes >= HugePage && OperatingSystem.IsLinux();

    private byte* NewChunk(long bytes)
    {
        if (counting)
            return (byte*)HugePage; // any address that is not null
        if (source is not null)
        {
            var (owner, address) = source(bytes);
            foreign.Add(owner);
            return (byte*)address;
        }
        byte* p = OnHugePages(bytes) ? Map(bytes) : (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        if (!OnHugePages(bytes))
            NativeMemory.Clear(p, (nuint)bytes);
        chunks.Add(((nint)p, bytes));
        return p;
    }

    /// <summary>
    /// Fresh pages of zeros, which take memory when they are first written and go back to the system when they are
    /// freed; the C library would keep some of them.
    /// </summary>
    private static byte* Map(long bytes)
    {
        // one huge page more than needed, so that the rest can begin on a boundary; what is too much goes back at once
        long all = bytes + HugePage;
        nint p = Mmap(null, (nuint)all, ReadWrite, PrivateAnonymous, -1, 0);
        if (p == -1)
            throw new InsufficientMemoryException(
                FormattableString.Invariant(
                    $"the system refused {bytes} bytes for tensors; try --memory recompute or a smaller --micro-batch"
                )
            );
        nint begin = (p + (nint)HugePage - 1) / (nint)HugePage * (nint)HugePage;
        if (begin > p)
            _ = Unmap((void*)p, (nuint)(begin - p));
        long tail = p + all - (begin + (nint)((bytes + Page - 1) / Page * Page));
        if (tail > 0)
            _ = Unmap((void*)(p + (nint)(all - tail)), (nuint)tail);
        // advice: where it is refused, small pages do
        _ = Advise((void*)begin, (nuint)bytes, HugePages);
        return (byte*)begin;
    }

    // <sys/mman.h> and <asm-generic/mman-common.h> of Linux
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;
    private const int HugePages = 14;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
