namespace LutNative.Interop;

/// <summary>
/// Something a library does on a stream, in order with launches (<see cref="CudaQueue.Call"/>). Arguments are device
/// addresses, 8 bytes each.
/// </summary>
public abstract unsafe class CudaCall
{
    internal abstract string Name { get; }
    internal abstract void Run(nint stream, ulong* addresses);
}
