using System.Diagnostics;
using System.Reflection;
using LutNative.Interop;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>
/// A CUDA GPU, or the emulator of one: our own kernels (native/kernels), the same bits as every other device. Tensors
/// live in device memory, operations are queued on one stream and the host waits only where it reads. For one thread.
/// </summary>
public unsafe class CudaDevice : Device, IDisposable
{
    private const int LeastStaging = 4 << 20;
    private const int MostStaging = 256 << 20;
    private readonly PrimaryContext context;
    private readonly Dictionary<string, CudaModule> modules = new(StringComparer.Ordinal);
    private CudaHostMemory staging;
    private CudaDeviceMemory staged;
    private readonly bool separate;
    private CudaDeviceMemory? scratch;
    private long stagedTo;

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
            staging = context.AllocateHost(LeastStaging);
            staged = context.Allocate(LeastStaging);
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

    public override long PackedFloats(int k, int columns) => 0;

    public override void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) { }

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
        fixed (float* p = from)
            Upload(to.Data, p, from.Length * sizeof(float));
    }

    public override void Read(Span<float> to, Mat from)
    {
        if (to.Length != from.Count)
            throw new ShapeException(FormattableString.Invariant($"{to.Length} floats for a tensor {from}"));
        for (int done = 0; done < to.Length; )
        {
            int n = Math.Min(to.Length - done, LeastStaging / 4);
            byte* at = Stage(n * sizeof(float));
            Queue.CopyToHost(at, from.Data + done, n * sizeof(float));
            Synchronize();
            new ReadOnlySpan<float>(at, n).CopyTo(to.Slice(done, n));
            done += n;
        }
    }

    public override void Copy(Mat to, Mat from) => Queue.Copy(to.Data, from.Data, from.Count * sizeof(float));

    public override void Clear(float* p, long count) => Queue.Clear(p, count * sizeof(float));

    public override Digest DigestOf(Mat x)
    {
        ulong* sums = (ulong*)Scratch(4);
        Queue.Clear(sums, 16);
        Queue.Launch(
            Kernel("digest", "digest"),
            (Math.Clamp(Blocks(x.Count, 1024), 1, 4 * Multiprocessors), 1, 1),
            256,
            sums,
            x.Data,
            x.Count
        );
        Span<float> raw = stackalloc float[4];
        Read(raw, new Mat((float*)sums, 1, 4));
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<float, ulong>(raw);
        return new Digest(words[0], words[1]);
    }

    public override bool OnHost => false;
    public override int MostThreads => 1;
    public override int GrainsAtOnce => 64;
    public override int UpdateChunk => 1 << 30;
    public override long? MemoryBytes => context.TotalBytes;

    public override double FmaFlops(Pool pool, double seconds)
    {
        const int Turns = 1 << 12;
        const int Chains = 16;
        const int Threads = 256;
        long blocks = 16L * Multiprocessors;
        float* sink = Scratch(blocks * Threads);
        double best = 0;
        for (
            long begin = Stopwatch.GetTimestamp();
            Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds || best == 0;

        )
        {
            Synchronize();
            long before = Stopwatch.GetTimestamp();
            Queue.Launch(Kernel("limits", "fma_limit"), (blocks, 1, 1), Threads, sink, Turns);
            Synchronize();
            best = Math.Max(
                best,
                2.0 * Turns * Chains * Threads * blocks / Stopwatch.GetElapsedTime(before).TotalSeconds
            );
        }
        return best;
    }

    /// <summary>A kernel by its file and name; modules are loaded when first used.</summary>
    internal CudaKernel Kernel(string file, string name)
    {
        if (!modules.TryGetValue(file, out var module))
            modules.Add(file, module = context.Load(file, Ptx(file)));
        return module.Kernels[name];
    }

    /// <summary>Loads every module that is shipped.</summary>
    public IEnumerable<CudaKernel> AllKernels()
    {
        const string Folder = "ptx/";
        const string Suffix = ".ptx";
        foreach (
            string name in Assembly
                .GetExecutingAssembly()
                .GetManifestResourceNames()
                .Where(n => n.StartsWith(Folder, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        )
        {
            string file = name[Folder.Length..^Suffix.Length];
            foreach (string kernel in PtxSignature.ReadAll(Ptx(file)).Select(s => s.Name))
                yield return Kernel(file, kernel);
        }
    }

    /// <summary>The PTX of native/ptx/file.ptx as it is shipped inside this assembly.</summary>
    public static string Ptx(string file)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream($"ptx/{file}.ptx")
            ?? throw new InvalidOperationException($"no PTX named {file} in this assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Queues a kernel with one warp for each row.</summary>
    internal void Rows(string file, string name, long rows, params ReadOnlySpan<Argument> arguments)
    {
        if (rows > 0)
            Queue.Launch(Kernel(file, name), ((rows + 3) / 4, 1, 1), 128, arguments);
    }

    /// <summary>Queues a kernel with one thread for each of n elements, or for each four.</summary>
    internal void Elements(string file, string name, long n, int each, params ReadOnlySpan<Argument> arguments)
    {
        if (n > 0)
            Queue.Launch(Kernel(file, name), (Blocks(n, 256 * each), 1, 1), 256, arguments);
    }

    /// <summary>Queues a kernel with one thread for each column, and leaves beside each other.</summary>
    internal void Columns(
        string file,
        string name,
        int columns,
        int leaves,
        int threads,
        params ReadOnlySpan<Argument> arguments
    )
    {
        if (columns > 0 && leaves > 0)
            Queue.Launch(Kernel(file, name), (Blocks(columns, threads), leaves, 1), threads, arguments);
    }

    /// <summary>Queues a kernel with a block for each row and each 128 columns.</summary>
    internal void Grid(string file, string name, long rows, int columns, params ReadOnlySpan<Argument> arguments)
    {
        if (rows > 0 && columns > 0)
            Queue.Launch(Kernel(file, name), (rows, Blocks(columns, 128), 1), 128, arguments);
    }

    internal static long Blocks(long n, int each) => (n + each - 1) / each;

    /// <summary>Device memory for one operation; the next operation that asks takes it over, in stream order.</summary>
    internal float* Scratch(long floats) => (float*)Room(ref scratch, floats * sizeof(float));

    /// <summary>Memory that grows to the largest size asked for; what it held is lost then.</summary>
    private protected void* Room(ref CudaDeviceMemory? memory, long bytes)
    {
        if (memory is null || memory.Bytes < bytes)
        {
            Synchronize(); // what is queued may still use it
            memory?.Dispose();
            memory = context.Allocate(bytes);
        }
        return memory.Pointer;
    }

    /// <summary>A copy of host integers on the device, good for the operations queued next.</summary>
    internal int* Integers(ReadOnlySpan<int> values)
    {
        long bytes = Math.Max(4, values.Length * sizeof(int));
        byte* at = Stage(bytes);
        values.CopyTo(new Span<int>(at, values.Length));
        void* device = (byte*)staged.Pointer + (at - (byte*)staging.Pointer);
        Queue.CopyToDevice(device, at, bytes);
        return (int*)device;
    }

    internal int* Flags(ReadOnlySpan<bool> values)
    {
        Span<int> wide = values.Length <= 1024 ? stackalloc int[values.Length] : new int[values.Length];
        for (int i = 0; i < values.Length; i++)
            wide[i] = values[i] ? 1 : 0;
        return Integers(wide);
    }

    private void Upload(float* to, float* from, long bytes)
    {
        for (long done = 0; done < bytes; )
        {
            long n = Math.Min(bytes - done, LeastStaging / 4);
            byte* at = Stage(n);
            Buffer.MemoryCopy((byte*)from + done, at, n, n);
            Queue.CopyToDevice((byte*)to + done, at, n);
            done += n;
        }
    }

    /// <summary>
    /// A piece of pinned memory that no queued copy uses. Where it lies depends only on what was asked for since the
    /// last wait, so that a step's copies repeat.
    /// </summary>
    private byte* Stage(long bytes)
    {
        long rounded = (bytes + 63) / 64 * 64;
        if (stagedTo + rounded > staging.Bytes)
        {
            Synchronize();
            long size = Math.Max(2 * rounded, Math.Min(2 * staging.Bytes, MostStaging));
            if (size > staging.Bytes)
            {
                staging.Dispose();
                staged.Dispose();
                (staging, staged) = (context.AllocateHost(size), context.Allocate(size));
            }
        }
        byte* at = (byte*)staging.Pointer + stagedTo;
        stagedTo += rounded;
        return at;
    }

    private void Synchronize()
    {
        Queue.Synchronize();
        stagedTo = 0;
    }

    public override void BeginStep(string name)
    {
        stagedTo = 0;
        Queue.BeginStep(name);
    }

    public override void EndStep()
    {
        Queue.EndStep();
        stagedTo = 0;
    }

    internal override void GemmNt(Mat y, Mat x, Weight w, in Epilogue e) => GemmCuda.Nt(this, y, x, w, e);

    internal override void GemmNn(Mat dx, Mat dy, Weight w, in Epilogue e) => GemmCuda.Nn(this, dx, dy, w, e);

    internal override void GemmTn(Mat dw, Mat dy, Mat x, bool accumulate) => GemmCuda.Tn(this, dw, dy, x, accumulate);

    internal override void GeluForward(Mat y, Mat erf, Mat x) =>
        Elements("elementwise", "gelu_forward", x.Count, 1, y, erf, x, x.Count);

    internal override void GeluBackward(Mat dx, Mat dy, Mat x, Mat erf) =>
        Elements("elementwise", "gelu_backward_all", x.Count, 1, dx, dy, x, erf, x.Count);

    internal override void LayerNormForward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps) =>
        LayerNormCuda.Forward(this, y, stats, x, weight, bias, eps);

    internal override void LayerNormBackward(
        Mat dx,
        Mat dWeight,
        Mat dBias,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        Mat residual
    ) => LayerNormCuda.Backward(this, dx, dWeight, dBias, dy, x, stats, weight, residual);

    internal override void BatchNormForward(
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
    ) => BatchNormCuda.Forward(this, y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);

    internal override void BatchNormEvaluate(
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    ) => BatchNormCuda.Evaluate(this, y, x, runningMean, runningVar, weight, bias, eps);

    internal override void BatchNormBackward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    ) => BatchNormCuda.Backward(this, dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);

    internal override void AttentionForward(Mat output, Mat prob, Mat qkv, int tokens, int heads, float scale) =>
        AttentionCuda.Forward(this, output, prob, qkv, tokens, heads, scale);

    internal override void AttentionBackward(
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    ) => AttentionCuda.Backward(this, dQkv, dOutput, prob, qkv, tokens, heads, scale);

    internal override void TokensEmbed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept) =>
        TokensCuda.Embed(this, x, patches, cls, pos, index, kept);

    internal override void TokensEmbedBackward(
        Mat dPatches,
        Mat dCls,
        Mat dPos,
        Mat dx,
        ReadOnlySpan<int> index,
        int kept
    ) => TokensCuda.EmbedBackward(this, dPatches, dCls, dPos, dx, index, kept);

    internal override void TokensRestore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept) =>
        TokensCuda.Restore(this, z, y, maskToken, pos, restore, kept);

    internal override void TokensRestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept) =>
        TokensCuda.RestoreBackward(this, dy, dMaskToken, dz, restore, kept);

    internal override void PatchifyEmbed(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid) =>
        Elements(
            "patchify",
            "patchify_embed",
            output.Count,
            1,
            output,
            images,
            Integers(index),
            output.Count,
            index.Length / images.Rows,
            grid.Channels,
            grid.Size,
            grid.Patch
        );

    internal override void PatchifyTarget(Mat output, Mat images, PatchGrid grid) =>
        Elements(
            "patchify",
            "patchify_target",
            output.Count,
            1,
            output,
            images,
            output.Count,
            grid.Channels,
            grid.Size,
            grid.Patch
        );

    internal override void PoolForward(Mat y, Mat x, int tokens) =>
        Grid("tokens", "pool_forward", y.Rows, y.Cols, y, x, tokens, y.Cols);

    internal override void PoolBackward(Mat dx, Mat dy, int tokens) =>
        Grid("tokens", "pool_backward", dx.Rows, dx.Cols, dx, dy, tokens, dx.Cols);

    internal override void PatchNormalise(Mat target) =>
        Rows("losses", "patch_normalise", target.Rows, target, target.Rows, target.Cols);

    internal override void PatchLoss(
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    ) =>
        Rows(
            "losses",
            "patch_loss",
            pred.Rows,
            loss,
            dPred,
            pred,
            target,
            Integers(restore),
            pred.Rows,
            loss.Cols,
            target.Cols,
            kept,
            scale
        );

    internal override void ContextLoss(Mat loss, Mat dq, Mat q, Mat t, float k) =>
        Rows("losses", "context_loss", q.Rows, loss, dq, q, t, q.Rows, q.Cols, k);

    internal override void CrossEntropy(Mat loss, Mat dx, Mat x, Mat target, float scale) =>
        Rows("losses", "cross_entropy", x.Rows, loss, dx, x, target, x.Rows, x.Cols, scale);

    internal override void Add(Mat y, Mat a, Mat b) => Elements("elementwise", "add", y.Count, 4, y, a, b, y.Count);

    internal override void Scale(Mat y, Mat x, float s) =>
        Elements("elementwise", "scale", y.Count, 4, y, x, y.Count, s);

    internal override void Relu(Mat y, Mat x, Mat gate) =>
        Elements("elementwise", "relu", y.Count, 4, y, x, gate, y.Count);

    internal override void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep) =>
        Elements(
            "elementwise",
            "drop_path",
            y.Count,
            1,
            y,
            residual,
            branch,
            Flags(kept),
            y.Count,
            y.Count / kept.Length,
            keep
        );

    internal override void ColumnSum(Mat acc, Mat x, int first, int step) =>
        Columns("sums", "column_sum", x.Cols, acc.Rows, 64, acc, x, x.Rows / acc.Rows, x.Cols, first, step);

    internal override void LeavesTree(Mat sum, Mat leaves) =>
        Elements("sums", "tree_leaves", sum.Count, 1, sum, leaves, sum.Count, sum.Count, leaves.Rows / sum.Rows);

    internal override void SquaredNorm(Mat norm, Mat x)
    {
        float* parts = Scratch(x.Rows);
        Rows("sums", "row_squares", x.Rows, parts, x, x.Rows, x.Cols);
        Queue.Launch(Kernel("sums", "tree_sum"), (1, 1, 1), 256, norm, parts, x.Rows);
    }

    internal override void AdamW(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s)
    {
        var scalars = s;
        Elements(
            "optimizer",
            "adamw",
            p.Count,
            4,
            p.Updated,
            m.Updated,
            v.Updated,
            g,
            p.Count,
            Argument.Struct(&scalars)
        );
    }

    internal override void Average(Mat e, Mat p, float oneMinusDecay) =>
        Elements("optimizer", "average", p.Count, 4, e.Updated, p, p.Count, oneMinusDecay);

    public void Dispose()
    {
        scratch?.Dispose();
        context.Dispose();
        GC.SuppressFinalize(this);
    }
}
