using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>
/// A place where operations run. All devices give the same bits; the oracle is the definition. Callers use the
/// documented entries in Ops/ (Gemm, LayerNorm, ...), which check shapes and then call these. The CPU's have no state:
/// every worker thread may use one at once; a GPU's belongs to one thread.
/// </summary>
public abstract class Device
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

    /// <summary>
    /// to = from, on the host before the call returns or after everything queued so far, which cannot be told apart.
    /// </summary>
    public virtual void Write(Mat to, ReadOnlySpan<float> from) => from.CopyTo(to.Span);

    /// <summary>Waits for what computes from, and copies it.</summary>
    public virtual void Read(Span<float> to, Mat from) => from.Span.CopyTo(to);

    /// <summary>to = from, both of this device.</summary>
    public virtual void Copy(Mat to, Mat from) => from.Span.CopyTo(to.Span);

    /// <summary>count floats from p on become +0.</summary>
    public virtual unsafe void Clear(float* p, long count) =>
        System.Runtime.InteropServices.NativeMemory.Clear(p, (nuint)(count * sizeof(float)));

    /// <summary>The digest of a tensor (docs/NUMERICS.md rule 13).</summary>
    public virtual unsafe Digest DigestOf(Mat x) => Digest.Of(x.Data, x.Count);

    /// <summary>Whether the host may read and write tensors in place.</summary>
    public virtual bool OnHost => true;

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

    internal abstract void GemmNt(Mat y, Mat x, Weight w, in Epilogue e);
    internal abstract void GemmNn(Mat dx, Mat dy, Weight w, in Epilogue e);
    internal abstract void GemmTn(Mat dw, Mat dy, Mat x, bool accumulate);
    internal abstract void GeluForward(Mat y, Mat erf, Mat x);
    internal abstract void GeluBackward(Mat dx, Mat dy, Mat x, Mat erf);
    internal abstract void LayerNormForward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps);
    internal abstract void LayerNormBackward(
        Mat dx,
        Mat dWeight,
        Mat dBias,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        Mat residual
    );
    internal abstract void BatchNormForward(
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        int grain,
        float momentum,
        float eps
    );
    internal abstract void BatchNormEvaluate(
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    );
    internal abstract void BatchNormBackward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    );
    internal abstract void AttentionForward(Mat output, Mat prob, Mat qkv, int tokens, int heads, float scale);
    internal abstract void AttentionBackward(
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    );
    internal abstract void TokensEmbed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept);
    internal abstract void TokensEmbedBackward(
        Mat dPatches,
        Mat dCls,
        Mat dPos,
        Mat dx,
        ReadOnlySpan<int> index,
        int kept
    );
    internal abstract void TokensRestore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept);
    internal abstract void TokensRestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept);
    internal abstract void PatchifyEmbed(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid);
    internal abstract void PatchifyTarget(Mat output, Mat images, PatchGrid grid);
    internal abstract void PoolForward(Mat y, Mat x, int tokens);
    internal abstract void PoolBackward(Mat dx, Mat dy, int tokens);
    internal abstract void PatchNormalise(Mat target);
    internal abstract void PatchLoss(
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    );
    internal abstract void ContextLoss(Mat loss, Mat dq, Mat q, Mat t, float k);
    internal abstract void CrossEntropy(Mat loss, Mat dx, Mat x, Mat target, float scale);
    internal abstract void Add(Mat y, Mat a, Mat b);
    internal abstract void Scale(Mat y, Mat x, float s);
    internal abstract void Relu(Mat y, Mat x, Mat gate);
    internal abstract void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep);
    internal abstract void ColumnSum(Mat acc, Mat x, int first, int step);
    internal abstract void LeavesTree(Mat sum, Mat leaves);
    internal abstract void SquaredNorm(Mat norm, Mat x);
    internal abstract void AdamW(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s);
    internal abstract void Average(Mat e, Mat p, float oneMinusDecay);
}
