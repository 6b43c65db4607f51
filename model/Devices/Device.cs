using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Devices;

/// <summary>
/// A place where operations run, and the memory that it computes in. All devices give the same bits; the oracle is the
/// definition. Callers use the documented entries in Ops/ (Gemm, LayerNorm, ...), which check shapes and then hand an
/// <see cref="IOperation"/> to <see cref="Run{TOp}"/>. The CPU's have no state: every worker thread may use one at once;
/// a GPU's belongs to one thread.
/// </summary>
public abstract class Device : IMemory
{
    /// <summary>oracle, cpu-512, cpu-256, cpu-128, cuda:0, cuda:emulated.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Floats of the packed copy of a weight that products read, k deep and columns wide; 0 where the matrix itself is
    /// read.
    /// </summary>
    public abstract long PackedFloats(int k, int columns);

    /// <summary>
    /// An arena whose tensors this device's operations take. The host may read and write them by <see cref="Read"/> and
    /// <see cref="Write"/> alone.
    /// </summary>
    public virtual Arena NewArena() => new();

    // the memory of that arena: the host's, unless a device has its own
    public virtual bool OnHost => HostMemory.Instance.OnHost;

    public virtual void Write(Mat to, ReadOnlySpan<float> from) => HostMemory.Instance.Write(to, from);

    public virtual void Read(Span<float> to, Mat from) => HostMemory.Instance.Read(to, from);

    public virtual void Copy(Mat to, Mat from) => HostMemory.Instance.Copy(to, from);

    public virtual void Clear(Mat x) => HostMemory.Instance.Clear(x);

    public virtual Digest DigestOf(Mat x) => HostMemory.Instance.DigestOf(x);

    /// <summary>Threads that may call operations at once.</summary>
    public virtual int MostThreads => int.MaxValue;

    /// <summary>So many threads, or as many as may call this device's operations at once.</summary>
    public Pool NewPool(int threads) => new(Math.Min(threads, MostThreads));

    /// <summary>
    /// Fused multiply-adds from registers, FLOP/s, measured for about so many seconds: what a step is a share of.
    /// </summary>
    public virtual double FmaFlops(Pool pool, double seconds) => MachineLimits.FmaFlops(pool, seconds);

    /// <summary>Memory that tensors lie in, where it is not the host's.</summary>
    public virtual long? MemoryBytes => null;

    /// <summary>
    /// What follows, up to <see cref="EndStep"/>, asks for much the same each time for this name: a device may record
    /// it and replay.
    /// </summary>
    public virtual void BeginStep(string name) { }

    public virtual void EndStep() { }

    /// <summary>Grains that should run at once, a power of two.</summary>
    public virtual int GrainsAtOnce => 1;

    /// <summary>What a run records in place of the contract when this device does not keep it, or null.</summary>
    public virtual string? Level => null;

    /// <summary>Whether sums over samples must be cut by grains: not where the contract is not kept.</summary>
    public virtual bool SumsByGrain => true;

    /// <summary>Floats a row that attention over so many tokens keeps for its backward pass.</summary>
    internal virtual int AttentionKept(int tokens) => tokens;

    /// <summary>
    /// Elements that an optimiser's update should take at once: a few pieces of the state fit a second-level cache.
    /// </summary>
    public virtual int UpdateChunk => 1 << 14;

    /// <summary>Packs b[k, j] = source[k*ks + j*js].</summary>
    public abstract unsafe void Pack(float* panels, float* source, nint ks, nint js, int k, int columns);

    /// <summary>Calls the operation's method that is this device's, or queues what it asks for.</summary>
    internal abstract void Run<TOp>(TOp op)
        where TOp : struct, IOperation, allows ref struct;
}
