using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>Loads, stores, atomics on integers, asynchronous copies.</summary>
internal static unsafe partial class Opcodes
{
    private static void Memory()
    {
        foreach (string space in (string[])[".param", ".global", ".global.nc", ".shared"])
        foreach (string suffix in (string[])["", ".v2", ".v4"])
        {
            Add(
                $"ld{space}{suffix}.b32 ld{space}{suffix}.f32 ld{space}{suffix}.u32 ld{space}{suffix}.s32",
                "va",
                space switch
                {
                    ".param" => &LoadParameter<uint>,
                    ".shared" => &LoadShared<uint>,
                    _ => &LoadGlobal<uint>,
                }
            );
            if (suffix != ".v4")
                Add(
                    $"ld{space}{suffix}.b64 ld{space}{suffix}.f64 ld{space}{suffix}.u64 ld{space}{suffix}.s64",
                    "va",
                    space switch
                    {
                        ".param" => &LoadParameter<ulong>,
                        ".shared" => &LoadShared<ulong>,
                        _ => &LoadGlobal<ulong>,
                    }
                );
            if (space is ".param" or ".global.nc")
                continue;
            Add(
                $"st{space}{suffix}.b32 st{space}{suffix}.f32 st{space}{suffix}.u32 st{space}{suffix}.s32",
                "av",
                space == ".shared" ? &StoreShared<uint> : &StoreGlobal<uint>
            );
            if (suffix != ".v4")
                Add(
                    $"st{space}{suffix}.b64 st{space}{suffix}.f64 st{space}{suffix}.u64 st{space}{suffix}.s64",
                    "av",
                    space == ".shared" ? &StoreShared<ulong> : &StoreGlobal<ulong>
                );
        }
        Add("ld.global.u8 ld.global.nc.u8 ld.global.b8 ld.global.nc.b8", "va", &LoadGlobal<byte>);
        Add("ld.param.u8 ld.param.b8", "va", &LoadParameter<byte>);
        Add("atom.global.add.u32 atom.global.add.s32", "Waw", &AtomicAdd<uint>);
        Add("atom.global.add.u64", "Lal", &AtomicAdd<ulong>);
        Add("red.global.add.u32 red.global.add.s32", "aw", &ReduceAdd<uint>);
        Add("red.global.add.u64", "al", &ReduceAdd<ulong>);
    }

    /// <summary>Parameters are the same for all lanes.</summary>
    private static void LoadParameter<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        int n = i->Vector;
        int bytes = n * sizeof(T);
        long at = w.At<long>(i->R[n])[BitOperations.TrailingZeroCount(w.Active)] + i->Immediate;
        if (at < 0 || at + bytes > w.Kernel.ParameterBytes)
            throw w.Fault($"{bytes} bytes at {at} of parameters that have {w.Kernel.ParameterBytes}");
        for (int e = 0; e < n; e++)
        {
            T value = ((T*)(w.Block.Parameters + at))[e];
            if (sizeof(T) == 1)
                Broadcast(w, i->R[e], (uint)Unsafe.BitCast<T, byte>(value));
            else
                Broadcast(w, i->R[e], value);
        }
    }

    private static void Broadcast<T>(Warp w, int place, T value)
        where T : unmanaged
    {
        var d = w.At<Vector512<T>>(place);
        for (int p = 0; p < sizeof(T) / 2; p++)
            Maps.Put(w, d, p, Vector512.Create(value));
    }

    private static void LoadGlobal<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        int n = i->Vector;
        var a = w.At<ulong>(i->R[n]);
        byte* host = Host(w, i, a, (uint)(n * sizeof(T)), write: false);
        Load<T>(w, i, n, a, host);
    }

    private static void LoadShared<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        int n = i->Vector;
        var a = w.At<ulong>(i->R[n]);
        byte* host = Shared(w, i, a, (uint)(n * sizeof(T)), write: false);
        Load<T>(w, i, n, a, host);
    }

    private static void StoreGlobal<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        var a = w.At<ulong>(i->R[0]);
        byte* host = Host(w, i, a, (uint)(i->Vector * sizeof(T)), write: true);
        Store<T>(w, i, i->Vector, a, host);
    }

    private static void StoreShared<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        var a = w.At<ulong>(i->R[0]);
        byte* host = Shared(w, i, a, (uint)(i->Vector * sizeof(T)), write: true);
        Store<T>(w, i, i->Vector, a, host);
    }

    /// <summary>host + address is where a lane's bytes lie.</summary>
    private static void Load<T>(Warp w, Instruction* i, int n, ulong* a, byte* host)
        where T : unmanaged
    {
        host += i->Immediate;
        if (w.Active == uint.MaxValue && sizeof(T) >= 4)
        {
            ulong first = a[0];
            if (n == 1 && Contiguous(a, sizeof(T)))
            {
                Unsafe.CopyBlockUnaligned(w.Registers + i->R[0], host + first, (uint)(32 * sizeof(T)));
                return;
            }
            for (int l = 0; l < 32; l++)
            {
                T* from = (T*)(host + a[l]);
                w.At<T>(i->R[0])[l] = from[0];
                if (n < 2)
                    continue;
                w.At<T>(i->R[1])[l] = from[1];
                if (n < 4)
                    continue;
                w.At<T>(i->R[2])[l] = from[2];
                w.At<T>(i->R[3])[l] = from[3];
            }
            return;
        }
        for (int l = 0; l < 32; l++)
        {
            if ((w.Active >> l & 1) == 0)
                continue;
            T* from = (T*)(host + a[l]);
            for (int e = 0; e < n; e++)
                if (sizeof(T) == 1)
                    w.At<uint>(i->R[e])[l] = Unsafe.BitCast<T, byte>(from[e]);
                else
                    w.At<T>(i->R[e])[l] = from[e];
        }
    }

    private static void Store<T>(Warp w, Instruction* i, int n, ulong* a, byte* host)
        where T : unmanaged
    {
        host += i->Immediate;
        if (n == 1 && w.Active == uint.MaxValue && Contiguous(a, sizeof(T)))
        {
            Unsafe.CopyBlockUnaligned(host + a[0], w.Registers + i->R[1], (uint)(32 * sizeof(T)));
            return;
        }
        for (int l = 0; l < 32; l++)
        {
            if ((w.Active >> l & 1) == 0)
                continue;
            T* to = (T*)(host + a[l]);
            for (int e = 0; e < n; e++)
                to[e] = w.At<T>(i->R[1 + e])[l];
        }
    }

    private static bool Contiguous(ulong* a, int size)
    {
        var step = Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7) * (ulong)size + Vector512.Create(a[0]);
        var eight = Vector512.Create(8UL * (ulong)size);
        var v = (Vector512<ulong>*)a;
        return v[0] == step
            && v[1] == step + eight
            && v[2] == step + eight + eight
            && v[3] == step + eight + eight + eight;
    }

    /// <summary>Checks every active lane's access to global memory; returns what to add to an address.</summary>
    private static byte* Host(Warp w, Instruction* i, ulong* a, uint bytes, bool write)
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
                            $"{(write ? "store to" : "load from")} address {a[l] + (ulong)i->Immediate:x}: {bytes} bytes outside every allocation",
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

    private static byte* Shared(Warp w, Instruction* i, ulong* a, uint bytes, bool write)
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
                        $"{(write ? "store to" : "load from")} shared address {(long)a[l] + i->Immediate}: the block has {block.SharedBytes} bytes",
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

    private static void AtomicAdd<T>(Warp w, Instruction* i)
        where T : unmanaged => Atomic<T>(w, i, i->R[1], i->R[2], i->R[0]);

    private static void ReduceAdd<T>(Warp w, Instruction* i)
        where T : unmanaged => Atomic<T>(w, i, i->R[0], i->R[1], -1);

    private static void Atomic<T>(Warp w, Instruction* i, int address, int value, int old)
        where T : unmanaged
    {
        var a = w.At<ulong>(address);
        bool checks = w.Block.Checks;
        w.Block.Checks = false; // atomics of different blocks may meet
        byte* host = Host(w, i, a, (uint)sizeof(T), write: true) + i->Immediate;
        w.Block.Checks = checks;
        for (int l = 0; l < 32; l++)
        {
            if ((w.Active >> l & 1) == 0)
                continue;
            if (checks)
                w.Block.TouchAtomic(a[l] + (ulong)i->Immediate, sizeof(T));
            if (sizeof(T) == 4)
            {
                uint add = w.At<uint>(value)[l];
                uint before = Interlocked.Add(ref *(uint*)(host + a[l]), add) - add;
                if (old >= 0)
                    w.At<uint>(old)[l] = before;
            }
            else
            {
                ulong add = w.At<ulong>(value)[l];
                ulong before = Interlocked.Add(ref *(ulong*)(host + a[l]), add) - add;
                if (old >= 0)
                    w.At<ulong>(old)[l] = before;
            }
        }
    }
}
