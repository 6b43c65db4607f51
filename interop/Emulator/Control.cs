namespace LutNative.Interop.Emulator;

/// <summary>Branches, barriers, and what lanes of a warp tell each other.</summary>
internal static unsafe partial class Opcodes
{
    private static void Control()
    {
        Add("bra bra.uni", "t", &Nothing, Kind.Branch);
        Add("ret exit", "", &Nothing, Kind.Return);
        Add("bar.sync barrier.sync", "n", &Nothing, Kind.Barrier);
        Add("bar.warp.sync", "w", &Nothing, converges: true);
        Add("shfl.sync.bfly.b32", "Wwwww", &ShuffleXor, converges: true);
        Add("shfl.sync.idx.b32", "Wwwww", &ShuffleIndex, converges: true);
        Add("vote.sync.ballot.b32", "Wpw", &Ballot, converges: true);
    }

    private static void Nothing(Warp w, Instruction* i) { }

    private static void ShuffleXor(Warp w, Instruction* i) => Shuffle(w, i, xor: true);

    private static void ShuffleIndex(Warp w, Instruction* i) => Shuffle(w, i, xor: false);

    /// <summary>
    /// d = a of lane (l ^ b) or b, inside the segment that c describes; out of the segment, its own (PTX ISA,
    /// shfl.sync).
    /// </summary>
    private static void Shuffle(Warp w, Instruction* i, bool xor)
    {
        var d = w.At<uint>(i->R[0]);
        var a = w.At<uint>(i->R[1]);
        var b = w.At<uint>(i->R[2]);
        var c = w.At<uint>(i->R[3]);
        uint* copy = stackalloc uint[32];
        new ReadOnlySpan<uint>(a, 32).CopyTo(new Span<uint>(copy, 32));
        CheckMembers(w, w.At<uint>(i->R[4])[0]);
        for (uint l = 0; l < 32; l++)
        {
            if ((w.Active >> (int)l & 1) == 0)
                continue;
            uint segment = c[l] >> 8 & 31;
            uint clamp = c[l] & 31;
            uint most = (l & segment) | (clamp & ~segment);
            uint from = xor ? l ^ (b[l] & 31) : (l & segment) | (b[l] & 31 & ~segment);
            if (from > most)
                from = l;
            if ((w.Active >> (int)from & 1) == 0)
                throw w.Fault($"lane {l} reads lane {from}, which is not here", (int)l);
            d[l] = copy[from];
        }
    }

    private static void Ballot(Warp w, Instruction* i)
    {
        CheckMembers(w, w.At<uint>(i->R[2])[0]);
        uint bits = w.Predicates[i->R[1]] & w.Active;
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                w.At<uint>(i->R[0])[l] = bits;
    }

    private static void CheckMembers(Warp w, uint members)
    {
        if (members != w.Active)
            throw w.Fault($"the member mask is {members:x8}, the lanes that came are {w.Active:x8}");
    }
}
