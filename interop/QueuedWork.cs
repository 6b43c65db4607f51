using System.Runtime.InteropServices;

namespace LutNative.Interop;

internal enum QueuedKind
{
    Launch,
    Call,
    ToDevice,
    ToHost,
    Copy,
    Clear,
}

/// <summary>One operation; a launch's or call's arguments follow it, 8 bytes or more each.</summary>
internal struct QueuedOperation
{
    public QueuedKind Kind;
    public int Kernel;
    public int Threads;
    public int ArgumentBytes;
    public long X;
    public long Y;
    public long Z;
    public long Bytes;
    public ulong To;
    public ulong From;
}

/// <summary>
/// Operations one after the other as bytes, so that what a step asks for is compared with the step before by one look
/// at memory.
/// </summary>
internal sealed unsafe class QueuedWork
{
    private byte[] recorded = GC.AllocateUninitializedArray<byte>(1 << 16, pinned: true);
    private int length;

    internal ReadOnlySpan<byte> Bytes => recorded.AsSpan(0, length);

    internal void Clear() => length = 0;

    /// <summary>A copy of the operation with room for its arguments, until the next one is added.</summary>
    internal QueuedOperation* Add(in QueuedOperation operation)
    {
        int bytes = sizeof(QueuedOperation) + operation.ArgumentBytes;
        if (length + bytes > recorded.Length)
        {
            byte[] larger = GC.AllocateUninitializedArray<byte>(
                Math.Max(2 * recorded.Length, length + bytes),
                pinned: true
            );
            recorded.AsSpan(0, length).CopyTo(larger);
            recorded = larger;
        }
        var o = (QueuedOperation*)Marshal.UnsafeAddrOfPinnedArrayElement(recorded, length);
        *o = operation;
        length += bytes;
        return o;
    }

    /// <summary>The first operation, or null.</summary>
    internal QueuedOperation* First => At(Begin);

    /// <summary>The one after o, or null.</summary>
    internal QueuedOperation* After(QueuedOperation* o) => At((byte*)(o + 1) + o->ArgumentBytes);

    private byte* Begin => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(recorded, 0);

    private QueuedOperation* At(byte* p) => p < Begin + length ? (QueuedOperation*)p : null;
}
