namespace LutNative.Interop.Emulator;

/// <summary>What a driver and its libraries made and did not destroy yet, by handle.</summary>
internal sealed class EmulatedHandles
{
    private readonly Dictionary<nint, object> all = [];
    private nint next = 0x1000;

    internal int Count(Func<object, bool> which) => all.Values.Count(which);

    internal nint Add(object o)
    {
        all.Add(next += 16, o);
        return next;
    }

    /// <summary>An object's handle, or 0.</summary>
    internal nint Of(object o) => all.FirstOrDefault(h => h.Value == o).Key;

    internal bool Find<T>(nint handle, out T found)
        where T : class
    {
        found = (all.GetValueOrDefault(handle) as T)!;
        return found is not null;
    }

    internal int Remove<T>(nint handle)
        where T : class => Find<T>(handle, out _) && all.Remove(handle) ? 0 : (int)CudaResult.InvalidHandle;
}
