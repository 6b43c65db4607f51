using System.Runtime.InteropServices;

namespace LutNative.Interop.Emulator;

/// <summary>
/// The emulated device's memory. A device address is the host's plus a tag that no processor accepts, so code that
/// reads device memory from the host fails here as it would on a GPU. Every allocation is known, so an access outside
/// of all is found; with checks on, so is a read of bytes that nobody has written, and two blocks of one launch that
/// touch the same word without order.
/// </summary>
internal sealed unsafe class DeviceMemory : IDisposable
{
    internal const ulong Tag = 0x0100_0000_0000_0000;

    internal sealed class Allocation(ulong address, ulong bytes, bool checks)
    {
        public readonly ulong Address = address;
        public readonly ulong End = address + bytes;

        /// <summary>With checks: who touched its words in the current launch.</summary>
        public readonly Shadow? Shadow = checks ? new Shadow((int)((bytes + 3) / 4)) : null;

        public byte* Host => (byte*)(Address - Tag);
    }

    private readonly SortedList<ulong, Allocation> allocations = [];
    private readonly bool checks;
    private readonly bool contents;
    private readonly long limit;
    private ulong unbacked = 1UL << 40;

    internal DeviceMemory(long limit, EmulationOptions options)
    {
        this.limit = limit;
        checks = options.Checks;
        contents = options.Execute;
    }

    internal int Count => allocations.Count;
    internal long Used { get; private set; }
    internal long Limit => limit;

    /// <summary>0 when there is not enough. Contents are poison: NaN as floats.</summary>
    internal ulong Allocate(ulong bytes)
    {
        if (bytes == 0 || bytes > (ulong)(limit - Used))
            return 0;
        byte* host;
        if (contents)
        {
            host = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 256);
            new Span<byte>(host, (int)Math.Min(bytes, 1 << 30)).Fill(0xff);
        }
        else
        {
            host = (byte*)unbacked;
            unbacked += (bytes + 255) / 256 * 256;
        }
        var a = new Allocation((ulong)host + Tag, bytes, checks);
        allocations.Add(a.Address, a);
        Used += (long)bytes;
        return a.Address;
    }

    internal bool Free(ulong address)
    {
        if (!allocations.Remove(address, out var a))
            return false;
        Used -= (long)(a.End - a.Address);
        if (contents)
            NativeMemory.AlignedFree(a.Host);
        return true;
    }

    /// <summary>The allocation that holds all of [address, address + bytes), or null.</summary>
    internal Allocation? Find(ulong address, ulong bytes)
    {
        var keys = allocations.Keys;
        int low = 0;
        int high = keys.Count - 1;
        while (low <= high)
        {
            int mid = (low + high) / 2;
            if (keys[mid] <= address)
                low = mid + 1;
            else
                high = mid - 1;
        }
        return high >= 0 && allocations.Values[high] is { } a && address + bytes <= a.End ? a : null;
    }

    /// <summary>Where bytes lie on the host, to be read; a kernel's fault when nobody owns them.</summary>
    internal byte* Host(ulong address, ulong bytes)
    {
        Require(address, bytes);
        return (byte*)(address - Tag);
    }

    /// <summary>The same, to be written.</summary>
    internal byte* HostWritten(ulong address, ulong bytes)
    {
        Touch(Require(address, bytes), address, bytes);
        return (byte*)(address - Tag);
    }

    private Allocation Require(ulong address, ulong bytes) =>
        Find(address, Math.Max(bytes, 1))
        ?? throw new InvalidOperationException(
            FormattableString.Invariant($"a copy of {bytes} bytes at {address:x} is outside every allocation")
        );

    /// <summary>The host wrote these bytes.</summary>
    internal static void Touch(Allocation a, ulong address, ulong bytes)
    {
        if (a.Shadow is { } shadow && bytes > 0)
            shadow.Write(
                (long)((address - a.Address) / 4),
                (long)((address + bytes - 1 - a.Address) / 4 - (address - a.Address) / 4 + 1)
            );
    }

    /// <summary>Before a launch with checks: nobody has touched anything.</summary>
    internal void BeginLaunch()
    {
        foreach (var a in allocations.Values)
            a.Shadow?.Forget();
    }

    public void Dispose()
    {
        foreach (ulong address in allocations.Keys.ToArray())
            Free(address);
    }
}
