namespace LutNative.Interop.Emulator;

/// <summary>
/// Work in order, which runs when somebody waits for it; or is captured instead. After a fault nothing runs any more,
/// and every call says so.
/// </summary>
internal sealed class EmulatedStreams(EmulationOptions options)
{
    private readonly Dictionary<nint, Queue<Action>> streams = new() { [0] = new() };
    private List<Action>? capture;
    private nint capturing;

    /// <summary>What every call returns once something went wrong; 0 before.</summary>
    internal int Code { get; set; }

    /// <summary>What went wrong in a kernel, or null.</summary>
    internal Exception? Fault { get; private set; }

    internal void Open(nint stream, Queue<Action> work) => streams.Add(stream, work);

    internal void Close(nint stream)
    {
        Drain(stream);
        streams.Remove(stream);
    }

    internal int Add(nint stream, Action action)
    {
        if (Code != 0)
            return Code;
        if (!streams.TryGetValue(stream, out var queue))
            return (int)CudaResult.InvalidHandle;
        if (capture is not null && stream == capturing)
            capture.Add(action);
        else
            queue.Enqueue(action);
        return 0;
    }

    internal int Synchronize(nint stream) => capture is null ? Drain(stream) : (int)CudaResult.StreamCaptureUnsupported;

    internal void DrainAll()
    {
        foreach (nint s in streams.Keys)
            Drain(s);
    }

    internal int BeginCapture(nint stream)
    {
        if (capture is not null || !streams.ContainsKey(stream) || stream == 0)
            return (int)CudaResult.StreamCaptureUnsupported;
        capture = [];
        capturing = stream;
        return Code;
    }

    /// <summary>What was captured, or null where this stream is not being captured.</summary>
    internal List<Action>? EndCapture(nint stream)
    {
        if (capture is null || stream != capturing)
            return null;
        var captured = capture;
        capture = null;
        return captured;
    }

    private int Drain(nint stream)
    {
        if (!streams.TryGetValue(stream, out var queue))
            return (int)CudaResult.InvalidHandle;
        while (Code == 0 && queue.TryDequeue(out var action))
            try
            {
                if (options.Execute)
                    action();
            }
            catch (Exception e) when (e is PtxFault or InvalidOperationException)
            {
                Fault = e;
                // else a copy outside of all memory
                Code = (int)(e is PtxFault fault ? fault.Code : CudaResult.IllegalAddress);
            }
        return Code;
    }
}
