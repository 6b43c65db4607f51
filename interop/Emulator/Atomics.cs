namespace LutNative.Interop.Emulator;

/// <summary>Atomics on integers.</summary>
internal static unsafe partial class Opcodes
{
    private static void Atomics()
    {
        Add("atom.global.add.u32 atom.global.add.s32", "Waw", &AtomicAdd<uint>);
        Add("atom.global.add.u64", "Lal", &AtomicAdd<ulong>);
        Add("red.global.add.u32 red.global.add.s32", "aw", &ReduceAdd<uint>);
        Add("red.global.add.u64", "al", &ReduceAdd<ulong>);
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
        byte* host = Access.Global(w, i, a, (uint)sizeof(T), write: true) + i->Immediate;
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
