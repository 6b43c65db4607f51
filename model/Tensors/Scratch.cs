using System.Runtime.InteropServices;

namespace LutNative.Model.Tensors;

/// <summary>Who borrows scratch memory: one operation inside another must not take its memory away.</summary>
internal enum ScratchUse
{
    Strip,
    Pack,
    Attention,
}

/// <summary>
/// Reusable scratch of the current thread, so that an operation allocates nothing in steady state. It grows and never
/// shrinks.
/// </summary>
internal static unsafe class Scratch
{
    [ThreadStatic]
    private static float[]?[]? cached;

    /// <summary>
    /// count floats, 64-byte aligned, contents undefined; valid until the same thread asks again for the same use.
    /// </summary>
    internal static float* Floats(ScratchUse use, long count)
    {
        cached ??= new float[Enum.GetValues<ScratchUse>().Length][];
        float[]? mine = cached[(int)use];
        if (mine is null || mine.Length < count + 16)
            cached[(int)use] = mine = GC.AllocateUninitializedArray<float>(checked((int)count + 16), pinned: true);
        nint p = Marshal.UnsafeAddrOfPinnedArrayElement(mine, 0);
        return (float*)((p + 63) / 64 * 64);
    }
}
