namespace LutNative.Model.Checkpoints;

/// <summary>
/// A part of a tensor's bytes in memory, for tensors that are read in another order than they lie: it moves when it
/// must.
/// </summary>
internal sealed class Window(FileTensor tensor, int bytes)
{
    private readonly byte[] held = new byte[bytes];
    private long begin;
    private long end;

    internal FileTensor Tensor => tensor;

    /// <summary>count bytes from byte at of the tensor, which spans span bytes.</summary>
    internal ReadOnlySpan<byte> At(long at, int count, long span)
    {
        if (at < begin || at + count > end)
        {
            begin = held.Length >= span ? 0 : at;
            end = Math.Min(span, begin + held.Length);
            tensor.ReadBytes(begin, held.AsSpan(0, (int)(end - begin)));
        }
        return held.AsSpan((int)(at - begin), count);
    }
}
