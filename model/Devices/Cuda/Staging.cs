using LutNative.Interop;

namespace LutNative.Model.Devices;

/// <summary>
/// Pinned host memory that copies to and from a device pass through, with as much device memory beside it for
/// operands that live for one operation. A piece is not used again before the host has waited for the queue.
/// </summary>
internal sealed unsafe class Staging
{
    private const int Least = 4 << 20;
    private const int Most = 256 << 20;
    private readonly PrimaryContext context;
    private readonly CudaQueue queue;
    private CudaHostMemory host;
    private CudaDeviceMemory device;
    private long used;

    /// <summary>Allocates the least; the context frees what is left at its end.</summary>
    internal Staging(PrimaryContext context, CudaQueue queue)
    {
        this.context = context;
        this.queue = queue;
        host = context.AllocateHost(Least);
        device = context.Allocate(Least);
    }

    /// <summary>
    /// Everything queued is done, or a step begins or ends: where pieces lie depends only on what was asked for since,
    /// so that a step's copies repeat.
    /// </summary>
    internal void Restart() => used = 0;

    /// <summary>Waits for the queue.</summary>
    internal void Synchronize()
    {
        queue.Synchronize();
        Restart();
    }

    /// <summary>Queues a copy of host floats to the device; from may change at once.</summary>
    internal void Upload(float* to, ReadOnlySpan<float> from)
    {
        const int Piece = Least / 4 / sizeof(float);
        for (int done = 0; done < from.Length; done += Piece)
        {
            var piece = from.Slice(done, Math.Min(from.Length - done, Piece));
            byte* at = Take(piece.Length * sizeof(float));
            piece.CopyTo(new Span<float>(at, piece.Length));
            queue.CopyToDevice(to + done, at, piece.Length * sizeof(float));
        }
    }

    /// <summary>Waits for what computes from, and copies it.</summary>
    internal void Download(Span<float> to, float* from)
    {
        for (int done = 0; done < to.Length; )
        {
            int n = Math.Min(to.Length - done, Least / 4);
            byte* at = Take(n * sizeof(float));
            queue.CopyToHost(at, from + done, n * sizeof(float));
            Synchronize();
            new ReadOnlySpan<float>(at, n).CopyTo(to.Slice(done, n));
            done += n;
        }
    }

    /// <summary>A copy of host integers on the device, good for the operations queued next.</summary>
    internal int* Integers(ReadOnlySpan<int> values)
    {
        long bytes = Math.Max(4, values.Length * sizeof(int));
        byte* at = Take(bytes);
        values.CopyTo(new Span<int>(at, values.Length));
        void* copy = (byte*)device.Pointer + (at - (byte*)host.Pointer);
        queue.CopyToDevice(copy, at, bytes);
        return (int*)copy;
    }

    /// <summary>The same of flags, as 0 and 1.</summary>
    internal int* Flags(ReadOnlySpan<bool> values)
    {
        Span<int> wide = values.Length <= 1024 ? stackalloc int[values.Length] : new int[values.Length];
        for (int i = 0; i < values.Length; i++)
            wide[i] = values[i] ? 1 : 0;
        return Integers(wide);
    }

    /// <summary>A piece of pinned memory that no queued copy uses.</summary>
    private byte* Take(long bytes)
    {
        long rounded = (bytes + 63) / 64 * 64;
        if (used + rounded > host.Bytes)
        {
            Synchronize();
            long size = Math.Max(2 * rounded, Math.Min(2 * host.Bytes, Most));
            if (size > host.Bytes)
            {
                host.Dispose();
                device.Dispose();
                host = context.AllocateHost(size);
                device = context.Allocate(size);
            }
        }
        byte* at = (byte*)host.Pointer + used;
        used += rounded;
        return at;
    }
}
