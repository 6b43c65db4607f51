using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>Loads and stores.</summary>
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
        byte* host = Access.Global(w, i, a, (uint)(n * sizeof(T)), write: false);
        Load<T>(w, i, n, a, host);
    }

    private static void LoadShared<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        int n = i->Vector;
        var a = w.At<ulong>(i->R[n]);
        byte* host = Access.Shared(w, i, a, (uint)(n * sizeof(T)), write: false);
        Load<T>(w, i, n, a, host);
    }

    private static void StoreGlobal<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        var a = w.At<ulong>(i->R[0]);
        byte* host = Access.Global(w, i, a, (uint)(i->Vector * sizeof(T)), write: true);
        Store<T>(w, i, i->Vector, a, host);
    }

    private static void StoreShared<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        var a = w.At<ulong>(i->R[0]);
        byte* host = Access.Shared(w, i, a, (uint)(i->Vector * sizeof(T)), write: true);
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
}
