using System.Diagnostics;
using System.Runtime.InteropServices;
using LutNative.Interop;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Devices;

/// <summary>
/// A CUDA GPU, or the emulator of one: our own kernels (native/kernels), the same bits as every other device. Tensors
/// live in device memory, operations are queued on one stream and the host waits only where it reads. For one thread.
/// </summary>
public unsafe class CudaDevice : Device, IDisposable
{
    private readonly PrimaryContext context;
    private readonly Dictionary<string, CudaModule> modules = new(StringComparer.Ordinal);
    private readonly Staging staging;
    private readonly bool separate;
    private CudaDeviceMemory? scratch;

    /// <param name="name">cuda:0, cuda:emulated.</param>
    /// <param name="separate">
    /// Every tensor is an allocation of its own: the emulator then finds what a kernel does beyond its end.
    /// </param>
    /// <exception cref="CudaException">No driver that works, no such device.</exception>
    public CudaDevice(ICudaDriver driver, int ordinal, string name, bool separate = false)
    {
        Name = name;
        this.separate = separate;
        context = new PrimaryContext(driver, ordinal);
        try
        {
            Queue = context.CreateQueue();
            staging = new Staging(context, Queue);
            Multiprocessors = context.Attribute(DeviceAttribute.MultiprocessorCount);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public override string Name { get; }
    public PrimaryContext Context => context;
    public int Multiprocessors { get; }
    internal CudaQueue Queue { get; }

    /// <summary>Counts and measures every launch from now on, or stops to.</summary>
    public void Measure(KernelProfile? profile) => Queue.Measure(profile);

    /// <summary>Segments of steps that ran as one graph so far.</summary>
    public long Replays => Queue.Replays;

    public override bool OnHost => false;
    public override int MostThreads => 1;
    public override int GrainsAtOnce => 64;
    public override int UpdateChunk => 1 << 30;
    public override long? MemoryBytes => context.TotalBytes;

    public override long PackedFloats(int k, int columns) => 0;

    public override void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) { }

    internal override void Run<TOp>(TOp op) => op.Cuda(this);

    public override void BeginStep(string name)
    {
        staging.Restart();
        Queue.BeginStep(name);
    }

    public override void EndStep()
    {
        Queue.EndStep();
        staging.Restart();
    }

    // memory

    /// <summary>An arena whose memory is the device's.</summary>
    public override Arena NewArena() =>
        new(
            bytes =>
            {
                var memory = context.Allocate(bytes);
                Queue.Clear(memory.Pointer, bytes);
                return (memory, (nint)memory.Pointer);
            },
            this,
            separate
        );

    public override void Write(Mat to, ReadOnlySpan<float> from)
    {
        if (from.Length != to.Count)
            throw new ShapeException(FormattableString.Invariant($"{from.Length} floats for a tensor {to}"));
        staging.Upload(to.Data, from);
    }

    public override void Read(Span<float> to, Mat from)
    {
        if (to.Length != from.Count)
            throw new ShapeException(FormattableString.Invariant($"{to.Length} floats for a tensor {from}"));
        staging.Download(to, from.Data);
    }

    public override void Copy(Mat to, Mat from) => Queue.Copy(to.Data, from.Data, from.Count * sizeof(float));

    public override void Clear(Mat x) => Queue.Clear(x.Data, x.Count * sizeof(float));

    public override Digest DigestOf(Mat x)
    {
        ulong* sums = (ulong*)Scratch(4);
        Queue.Clear(sums, 16);
        long blocks = Math.Clamp(Blocks(x.Count, 1024), 1, 4 * Multiprocessors);
        Launch(Kernel("digest", "digest"), (blocks, 1, 1), 256, sums, x.Data, x.Count);
        Span<float> raw = stackalloc float[4];
        Read(raw, new Mat((float*)sums, 1, 4));
        var words = MemoryMarshal.Cast<float, ulong>(raw);
        return new Digest(words[0], words[1]);
    }

    // what operations use

    /// <summary>A kernel by its file and name; modules are loaded when first used.</summary>
    internal CudaKernel Kernel(string file, string name)
    {
        if (!modules.TryGetValue(file, out var module))
            modules.Add(file, module = context.Load(file, ShippedPtx.Read(file)));
        return module.Kernels[name];
    }

    /// <summary>Loads every module that is shipped.</summary>
    public IEnumerable<CudaKernel> AllKernels() =>
        from file in ShippedPtx.Files
        from signature in PtxSignature.ReadAll(ShippedPtx.Read(file))
        select Kernel(file, signature.Name);

    /// <summary>Queues a kernel that only moves memory: its tensors, each once.</summary>
    internal void Launch(
        CudaKernel kernel,
        (long X, long Y, long Z) grid,
        int threads,
        params ReadOnlySpan<KernelArgument> arguments
    ) => Queue.Launch(kernel, grid, threads, KernelArgument.Of(arguments));

    /// <summary>Queues a kernel that does so much work.</summary>
    internal void Launch(
        CudaKernel kernel,
        (long X, long Y, long Z) grid,
        int threads,
        in Work work,
        params ReadOnlySpan<KernelArgument> arguments
    ) => Queue.Launch(kernel, grid, threads, work, KernelArgument.Of(arguments));

    /// <summary>Queues a kernel with one warp for each row.</summary>
    internal void Rows(string file, string name, long rows, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (rows > 0)
            Launch(Kernel(file, name), ((rows + 3) / 4, 1, 1), 128, arguments);
    }

    /// <summary>Queues a kernel with one thread for each of n elements, or for as many each.</summary>
    internal void Elements(string file, string name, long n, int each, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (n > 0)
            Launch(Kernel(file, name), (Blocks(n, 256 * each), 1, 1), 256, arguments);
    }

    /// <summary>Queues a kernel with one thread for each column, and leaves beside each other.</summary>
    internal void Columns(
        string file,
        string name,
        int columns,
        int leaves,
        int threads,
        params ReadOnlySpan<KernelArgument> arguments
    )
    {
        if (columns > 0 && leaves > 0)
            Launch(Kernel(file, name), (Blocks(columns, threads), leaves, 1), threads, arguments);
    }

    /// <summary>Queues a kernel with a block for each row and each 128 columns.</summary>
    internal void Grid(string file, string name, long rows, int columns, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (rows > 0 && columns > 0)
            Launch(Kernel(file, name), (rows, Blocks(columns, 128), 1), 128, arguments);
    }

    internal static long Blocks(long n, int each) => (n + each - 1) / each;

    /// <summary>Device memory for one operation; the next operation that asks takes it over, in stream order.</summary>
    internal float* Scratch(long floats) => (float*)Reuse(ref scratch, floats * sizeof(float));

    /// <summary>Memory that grows to the largest size asked for; what it held is lost then.</summary>
    private protected void* Reuse(ref CudaDeviceMemory? memory, long bytes)
    {
        if (memory is null || memory.Bytes < bytes)
        {
            staging.Synchronize(); // what is queued may still use it
            memory?.Dispose();
            memory = context.Allocate(bytes);
        }
        return memory.Pointer;
    }

    /// <summary>A copy of host integers on the device, good for the operations queued next.</summary>
    internal int* Integers(ReadOnlySpan<int> values) => staging.Integers(values);

    /// <summary>The same of flags, as 0 and 1.</summary>
    internal int* Flags(ReadOnlySpan<bool> values) => staging.Flags(values);

    public override double FmaFlops(Pool pool, double seconds)
    {
        const int Turns = 1 << 12;
        const int Chains = 16;
        const int Threads = 256;
        long blocks = 16L * Multiprocessors;
        float* sink = Scratch(blocks * Threads);
        double best = 0;
        long begin = Stopwatch.GetTimestamp();
        do
        {
            staging.Synchronize();
            long before = Stopwatch.GetTimestamp();
            Launch(Kernel("limits", "fma_limit"), (blocks, 1, 1), Threads, sink, Turns);
            staging.Synchronize();
            double flops = 2.0 * Turns * Chains * Threads * blocks;
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(before).TotalSeconds);
        } while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds);
        return best;
    }

    public void Dispose()
    {
        scratch?.Dispose();
        context.Dispose();
        GC.SuppressFinalize(this);
    }
}
