namespace LutNative.Interop;

/// <summary>
/// What the host asks of the device, in order. Inside a step everything between two waits is a segment; a segment that
/// asks for the very same things as in the step before (same kernels, grids, arguments, addresses) is made a CUDA
/// graph, and from then on one launch. A segment that differs after all is queued as it is.
/// </summary>
public sealed unsafe class CudaQueue : IDisposable
{
    private sealed class Segment
    {
        public byte[] Operations = [];
        public nint Graph;
    }

    private readonly PrimaryContext context;
    private readonly CudaStream stream;
    private readonly Dictionary<string, List<Segment>> steps = new(StringComparer.Ordinal);
    private readonly List<CudaKernel> kernels = [];
    private readonly List<CudaCall> calls = [];
    private readonly Dictionary<object, int> numbers = []; // of kernels and of calls
    private readonly QueuedWork recorded = new();
    private int at;
    private List<Segment>? step;
    private bool deferred;

    internal CudaQueue(PrimaryContext context)
    {
        this.context = context;
        stream = context.CreateStream();
    }

    private KernelProfile? profile;

    /// <summary>Counts and measures every launch from now on, or stops to.</summary>
    public void Measure(KernelProfile? with)
    {
        Synchronize();
        profile?.Destroy(context);
        profile = with;
        Expect();
    }

    /// <summary>Graphs launched so far.</summary>
    public long Replays { get; private set; }

    /// <summary>
    /// What follows, up to <see cref="EndStep"/>, is expected to be the same each time for this name.
    /// </summary>
    public void BeginStep(string name)
    {
        Synchronize();
        if (!steps.TryGetValue(name, out step))
            steps.Add(name, step = []);
        at = 0;
        Expect();
    }

    public void EndStep()
    {
        Synchronize();
        step = null;
        deferred = false;
    }

    /// <summary>A kernel that only moves memory: its tensors, each once.</summary>
    public void Launch(
        CudaKernel kernel,
        (long X, long Y, long Z) grid,
        int threads,
        params ReadOnlySpan<Argument> arguments
    )
    {
        double touched = 0;
        if (profile is not null)
            foreach (var a in arguments)
                touched += a.TensorBytes;
        Launch(kernel, grid, threads, new Work(0, touched), arguments);
    }

    public void Launch(
        CudaKernel kernel,
        (long X, long Y, long Z) grid,
        int threads,
        in Work work,
        params ReadOnlySpan<Argument> arguments
    )
    {
        kernel.Check(arguments);
        int number = NumberOf(kernel, kernels);
        int bytes = 0;
        foreach (var a in arguments)
            bytes += CudaKernel.Padded(a.Bytes);
        QueuedOperation* o = Record(
            new QueuedOperation
            {
                Kind = QueuedKind.Launch,
                Kernel = number,
                Threads = threads,
                ArgumentBytes = bytes,
                X = grid.X,
                Y = grid.Y,
                Z = grid.Z,
            }
        );
        byte* to = (byte*)(o + 1);
        foreach (var a in arguments)
        {
            *(ulong*)(to + CudaKernel.Padded(a.Bytes) - 8) = 0; // padding is compared too
            a.CopyTo(to);
            to += CudaKernel.Padded(a.Bytes);
        }
        Perform(o, kernel.Name, work);
    }

    /// <summary>Performs it unless it waits for its graph, and measures it where that is asked for.</summary>
    private void Perform(QueuedOperation* o, string name, in Work work)
    {
        if (deferred)
            return;
        if (profile is null)
            Perform(o);
        else
            Measured(profile, o, name, work);
    }

    // apart, so that no closure is made where nothing is measured
    private void Measured(KernelProfile with, QueuedOperation* o, string name, in Work work) =>
        with.Around(context, stream.Handle, name, work, () => Perform(o));

    /// <summary>What a library does with some device memory.</summary>
    public void Call(CudaCall call, in Work work, params ReadOnlySpan<ulong> addresses)
    {
        QueuedOperation* o = Record(
            new QueuedOperation
            {
                Kind = QueuedKind.Call,
                Kernel = NumberOf(call, calls),
                ArgumentBytes = addresses.Length * sizeof(ulong),
            }
        );
        addresses.CopyTo(new Span<ulong>(o + 1, addresses.Length));
        Perform(o, call.Name, work);
    }

    private int NumberOf<T>(T work, List<T> all)
        where T : class
    {
        if (numbers.TryGetValue(work, out int number))
            return number;
        numbers.Add(work, number = all.Count);
        all.Add(work);
        return number;
    }

    /// <summary>from is pinned memory that stays as it is until the next wait.</summary>
    public void CopyToDevice(void* to, void* from, long bytes) => Memory(QueuedKind.ToDevice, to, from, bytes);

    /// <summary>to is pinned memory; the values are there after the next wait.</summary>
    public void CopyToHost(void* to, void* from, long bytes) => Memory(QueuedKind.ToHost, to, from, bytes);

    public void Copy(void* to, void* from, long bytes) => Memory(QueuedKind.Copy, to, from, bytes);

    /// <summary>bytes is a multiple of 4.</summary>
    public void Clear(void* to, long bytes) => Memory(QueuedKind.Clear, to, null, bytes);

    /// <summary>Waits for everything; errors of kernels come out here.</summary>
    public void Synchronize()
    {
        if (step is not null)
            EndSegment();
        recorded.Clear();
        stream.Synchronize();
        profile?.Collect(context);
        Expect();
    }

    private void Memory(QueuedKind kind, void* to, void* from, long bytes)
    {
        if (bytes == 0)
            return;
        QueuedOperation* o = Record(
            new QueuedOperation
            {
                Kind = kind,
                To = (ulong)to,
                From = (ulong)from,
                Bytes = bytes,
            }
        );
        Perform(
            o,
            kind switch
            {
                QueuedKind.ToDevice => "copy to the device",
                QueuedKind.ToHost => "copy to the host",
                QueuedKind.Copy => "copy",
                _ => "clear",
            },
            new Work(0, kind == QueuedKind.Copy ? 2 * bytes : bytes)
        );
    }

    private QueuedOperation* Record(in QueuedOperation operation)
    {
        if (step is null)
            recorded.Clear(); // outside of a step nothing is compared
        return recorded.Add(operation);
    }

    private void Expect() => deferred = profile is null && step is not null && at < step.Count && step[at].Graph != 0;

    private void EndSegment()
    {
        if (at == step!.Count)
            step.Add(new Segment());
        var segment = step[at++];
        bool same = recorded.Bytes.SequenceEqual(segment.Operations);
        if (deferred && same)
        {
            context.Check(context.Driver.GraphLaunch(segment.Graph, stream.Handle), "cuGraphLaunch");
            Replays++;
            return;
        }
        if (deferred)
        {
            PerformAll();
            context.Driver.GraphExecDestroy(segment.Graph);
            segment.Graph = 0;
        }
        else if (same && !recorded.Bytes.IsEmpty && profile is null)
            segment.Graph = Capture();
        segment.Operations = recorded.Bytes.ToArray();
    }

    /// <summary>
    /// A graph of the recorded operations, without running them. Source: CUDA driver API, stream capture; ThreadLocal
    /// so that other threads may do as they like.
    /// </summary>
    private nint Capture()
    {
        stream.Synchronize();
        context.Check(
            context.Driver.StreamBeginCapture(stream.Handle, CaptureMode.ThreadLocal),
            "cuStreamBeginCapture"
        );
        PerformAll();
        context.Check(context.Driver.StreamEndCapture(stream.Handle, out nint graph), "cuStreamEndCapture");
        int code = context.Driver.GraphInstantiateWithFlags(out nint executable, graph, 0);
        context.Driver.GraphDestroy(graph);
        context.Check(code, "cuGraphInstantiateWithFlags");
        return executable;
    }

    private void PerformAll()
    {
        for (var o = recorded.First; o != null; o = recorded.After(o))
            Perform(o);
    }

    private void Perform(QueuedOperation* o)
    {
        switch (o->Kind)
        {
            case QueuedKind.Launch:
                kernels[o->Kernel].Launch(stream, (o->X, o->Y, o->Z), o->Threads, (byte*)(o + 1));
                break;
            case QueuedKind.Call:
                calls[o->Kernel].Run(stream.Handle, (ulong*)(o + 1));
                break;
            case QueuedKind.ToDevice:
                stream.CopyToDevice((void*)o->To, (void*)o->From, o->Bytes);
                break;
            case QueuedKind.ToHost:
                stream.CopyToHost((void*)o->To, (void*)o->From, o->Bytes);
                break;
            case QueuedKind.Copy:
                stream.Copy((void*)o->To, (void*)o->From, o->Bytes);
                break;
            default:
                stream.Clear((void*)o->To, o->Bytes);
                break;
        }
    }

    public void Dispose()
    {
        foreach (var segment in steps.Values.SelectMany(s => s))
            if (segment.Graph != 0)
                context.Driver.GraphExecDestroy(segment.Graph);
        steps.Clear();
        profile?.Destroy(context);
        stream.Dispose();
    }
}
