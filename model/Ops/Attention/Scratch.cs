using System.Runtime.InteropServices;

namespace LutNative.Model.Ops;

/// <summary>Reusable scratch of the current thread, so that an operation allocates nothing in steady state.</summary>
internal static unsafe class Scratch
{
    [ThreadStatic]
    private static float[]? cached;

    /// <summary>count floats, 64-byte aligned, contents undefined; valid until the same thread asks again.</summary>
    internal static float* Floats(long count)
    {
        if (cached is null || cached.Length < count + 16) cached = GC.AllocateUninitializedArray<float>(checked((int)count + 16), pinned: true);
        nint p = Marshal.UnsafeAddrOfPinnedArrayElement(cached, 0);
        return (float*)((p + 63) / 64 * 64);
    }
}
