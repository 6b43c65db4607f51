namespace LutNative.Interop;

/// <summary>
/// Work that the device does in order, beside what the host does. <see cref="CudaQueue"/> is what others use.
/// </summary>
internal sealed unsafe class CudaStream : IDisposable
{
    private const uint NonBlocking = 1;
    private readonly PrimaryContext context;
    private nint handle;

    internal CudaStream(PrimaryContext context)
    {
        this.context = context;
        context.Check(context.Driver.StreamCreate(out handle, NonBlocking), "cuStreamCreate");
    }

    internal nint Handle => handle;

    /// <summary>Waits for everything; errors of kernels come out here.</summary>
    public void Synchronize() => context.Check(context.Driver.StreamSynchronize(handle), "cuStreamSynchronize");

    /// <summary>from must stay as it is until the copy is done; pinned memory copies fast.</summary>
    public void CopyToDevice(void* to, void* from, long bytes) =>
        context.Check(
            context.Driver.MemcpyHtoDAsync((ulong)to, from, (nuint)bytes, handle),
            "cuMemcpyHtoDAsync",
            FormattableString.Invariant($"{bytes} bytes")
        );

    public void CopyToHost(void* to, void* from, long bytes) =>
        context.Check(
            context.Driver.MemcpyDtoHAsync(to, (ulong)from, (nuint)bytes, handle),
            "cuMemcpyDtoHAsync",
            FormattableString.Invariant($"{bytes} bytes")
        );

    public void Copy(void* to, void* from, long bytes) =>
        context.Check(
            context.Driver.MemcpyDtoDAsync((ulong)to, (ulong)from, (nuint)bytes, handle),
            "cuMemcpyDtoDAsync",
            FormattableString.Invariant($"{bytes} bytes")
        );

    /// <summary>bytes is a multiple of 4.</summary>
    public void Clear(void* to, long bytes) =>
        context.Check(
            context.Driver.MemsetD32Async((ulong)to, 0, (nuint)(bytes / 4), handle),
            "cuMemsetD32Async",
            FormattableString.Invariant($"{bytes} bytes")
        );

    public void Dispose()
    {
        if (handle == 0)
            return;
        context.Driver.StreamDestroy(handle);
        context.Disown(this);
        handle = 0;
    }
}

/// <summary>Device memory.</summary>
public sealed unsafe class CudaDeviceMemory : IDisposable
{
    private readonly PrimaryContext context;

    internal CudaDeviceMemory(PrimaryContext context, long bytes)
    {
        this.context = context;
        int code = context.Driver.MemAlloc(out ulong address, (nuint)bytes);
        if (code != 0)
        {
            long free = code == (int)CudaResult.OutOfMemory ? context.Memory().Free : 0;
            context.Check(code, "cuMemAlloc", FormattableString.Invariant($"{bytes} bytes, {free} free"));
        }
        Pointer = (void*)address;
        Bytes = bytes;
    }

    /// <summary>An address of the device: the host must not read it.</summary>
    public void* Pointer { get; private set; }
    public long Bytes { get; }

    public void Dispose()
    {
        if (Pointer == null)
            return;
        context.Driver.MemFree((ulong)Pointer);
        context.Disown(this);
        Pointer = null;
    }
}

/// <summary>Host memory that the device copies from and to without help.</summary>
public sealed unsafe class CudaHostMemory : IDisposable
{
    private readonly PrimaryContext context;

    internal CudaHostMemory(PrimaryContext context, long bytes)
    {
        this.context = context;
        context.Check(
            context.Driver.MemHostAlloc(out void* pointer, (nuint)bytes, 0),
            "cuMemHostAlloc",
            FormattableString.Invariant($"{bytes} bytes")
        );
        Pointer = pointer;
        Bytes = bytes;
    }

    public void* Pointer { get; private set; }
    public long Bytes { get; }

    public void Dispose()
    {
        if (Pointer == null)
            return;
        context.Driver.MemFreeHost(Pointer);
        context.Disown(this);
        Pointer = null;
    }
}
