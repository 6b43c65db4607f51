using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>
/// Whether the lanes of a warp may touch the memory that an instruction names: inside an allocation, aligned and, where
/// that is asked for, not in a race.
/// </summary>
internal static unsafe class Access
{
    /// <summary>Checks every active lane's access to global memory; returns what to add to an address.</summary>
    internal static byte* Global(Warp w, Instruction* i, ulong* a, uint bytes, bool write)
    {
        var (low, high, any) = Range(w, a);
        low += (ulong)i->Immediate;
        high += (ulong)i->Immediate;
        if ((any + (ulong)i->Immediate & (bytes - 1)) != 0 && Misaligned(w, i, a, bytes) is >= 0 and int bad)
            throw w.Fault(
                $"address {a[bad] + (ulong)i->Immediate:x} is not a multiple of {bytes}",
                bad,
                CudaResult.MisalignedAddress
            );
        var block = w.Block;
        if (block.Last is not { } last || low < last.Address || high + bytes > last.End)
        {
            if (low >= PtxParser.SharedWindow)
                throw w.Fault("a generic address of shared memory is used as a global one");
            block.Last = last = block.Memory.Find(low, high - low + bytes);
            if (last is null)
            {
                // lanes may lie in several allocations
                for (int l = 0; l < 32; l++)
                    if ((w.Active >> l & 1) != 0 && block.Memory.Find(a[l] + (ulong)i->Immediate, bytes) is null)
                        throw w.Fault(
                            $"{(write ? "store to" : "load from")} address {a[l] + (ulong)i->Immediate:x}: "
                                + $"{bytes} bytes outside every allocation",
                            l,
                            CudaResult.IllegalAddress
                        );
            }
        }
        if (block.Checks)
            for (int l = 0; l < 32; l++)
                if ((w.Active >> l & 1) != 0)
                    block.CheckGlobal(w, l, a[l] + (ulong)i->Immediate, bytes, write);
        return (byte*)unchecked(0 - DeviceMemory.Tag);
    }

    internal static byte* Shared(Warp w, Instruction* i, ulong* a, uint bytes, bool write)
    {
        var (low, high, any) = Range(w, a);
        low += (ulong)i->Immediate;
        high += (ulong)i->Immediate;
        if ((any + (ulong)i->Immediate & (bytes - 1)) != 0 && Misaligned(w, i, a, bytes) is >= 0 and int bad)
            throw w.Fault(
                $"shared address {a[bad] + (ulong)i->Immediate} is not a multiple of {bytes}",
                bad,
                CudaResult.MisalignedAddress
            );
        var block = w.Block;
        if (low > high || high + bytes > (ulong)block.SharedBytes)
            for (int l = 0; l < 32; l++)
                if ((w.Active >> l & 1) != 0 && a[l] + (ulong)i->Immediate + bytes > (ulong)block.SharedBytes)
                    throw w.Fault(
                        $"{(write ? "store to" : "load from")} shared address {(long)a[l] + i->Immediate}: "
                            + $"the block has {block.SharedBytes} bytes",
                        l
                    );
        if (block.Checks)
            for (int l = 0; l < 32; l++)
                if ((w.Active >> l & 1) != 0)
                    block.CheckShared(w, l, (int)(a[l] + (ulong)i->Immediate), (int)bytes, write);
        return block.Shared;
    }

    /// <summary>Least and greatest address of the active lanes, and all bits that occur in one.</summary>
    private static (ulong Low, ulong High, ulong Any) Range(Warp w, ulong* a)
    {
        if (w.Active == uint.MaxValue)
        {
            var v = (Vector512<ulong>*)a;
            var low = Vector512.Min(Vector512.Min(v[0], v[1]), Vector512.Min(v[2], v[3]));
            var high = Vector512.Max(Vector512.Max(v[0], v[1]), Vector512.Max(v[2], v[3]));
            var any = v[0] | v[1] | v[2] | v[3];
            var low4 = Vector256.Min(low.GetLower(), low.GetUpper());
            var high4 = Vector256.Max(high.GetLower(), high.GetUpper());
            var any4 = any.GetLower() | any.GetUpper();
            return (
                Math.Min(Math.Min(low4[0], low4[1]), Math.Min(low4[2], low4[3])),
                Math.Max(Math.Max(high4[0], high4[1]), Math.Max(high4[2], high4[3])),
                any4[0] | any4[1] | any4[2] | any4[3]
            );
        }
        ulong least = ulong.MaxValue;
        ulong most = 0;
        ulong bits = 0;
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
            {
                least = Math.Min(least, a[l]);
                most = Math.Max(most, a[l]);
                bits |= a[l];
            }
        return (least, most, bits);
    }

    private static int Misaligned(Warp w, Instruction* i, ulong* a, uint bytes)
    {
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0 && (a[l] + (ulong)i->Immediate & (bytes - 1)) != 0)
                return l;
        return -1;
    }
}
