using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>
/// 32 lanes that execute together. A register is 32 consecutive values, so one decoded instruction is a few vector
/// operations. Lanes that branch apart form groups; the group with the lowest instruction runs first and takes others
/// in when it reaches them, which joins structured code again. In split mode every lane runs alone, in an order drawn
/// anew, between instructions that need them together: the worst that independent thread scheduling allows.
/// </summary>
internal sealed unsafe class Warp
{
    internal static readonly string[] SpecialNames =
    [
        "%tid.x",
        "%tid.y",
        "%tid.z",
        "%ntid.x",
        "%ntid.y",
        "%ntid.z",
        "%ctaid.x",
        "%ctaid.y",
        "%ctaid.z",
        "%nctaid.x",
        "%nctaid.y",
        "%nctaid.z",
        "%laneid",
    ];

    private struct Group
    {
        public int Pc;
        public uint Mask;
        public bool Waits;
    }

    private readonly Group[] groups = new Group[33];
    private int count;
    private readonly LaneMasks masks = new();
    private Random? shuffle;

    internal Block Block = null!;
    internal PtxKernel Kernel = null!;

    /// <summary>The register file, 64-byte aligned, and predicates as lane masks.</summary>
    internal byte* Registers;
    internal uint* Predicates;

    /// <summary>Lanes of the instruction that is running.</summary>
    internal uint Active;

    /// <summary>
    /// Number of the warp in its block; count of its own points of convergence, which order its lanes' memory accesses.
    /// </summary>
    internal int Index;
    internal int Epoch;
    internal Instruction* Current;

    internal bool Done => count == 0;

    internal bool AtBarrier { get; private set; }

    internal void Start(uint lanes, Random? split)
    {
        count = 0;
        shuffle = split;
        AtBarrier = false;
        Epoch = 0;
        Add(0, lanes);
        if (split is not null)
            Scatter();
    }

    internal void PassBarrier()
    {
        AtBarrier = false;
        Epoch++;
        for (int g = 0; g < count; g++)
            groups[g].Pc++;
        if (shuffle is not null)
            Scatter();
    }

    /// <summary>Runs until every lane has ended or waits at a barrier.</summary>
    internal void Run(Instruction* code)
    {
        while (count > 0)
        {
            int g = Pick(out int next);
            if (g < 0)
                throw Fault("lanes wait here for others that have ended or wait elsewhere");
            var (pc, mask) = (groups[g].Pc, groups[g].Mask);
            Remove(g);
            if (!RunGroup(code, ref pc, ref mask, next))
                return;
            if (mask != 0)
                Add(pc, mask);
        }
    }

    /// <summary>
    /// Runs one group until it meets another, splits, waits or ends; false when the whole warp is at a barrier.
    /// </summary>
    private bool RunGroup(Instruction* code, ref int pc, ref uint mask, int next)
    {
        while (true)
        {
            Instruction* i = code + pc;
            Current = i;
            if ((i->Converges || i->Kind == Kind.Barrier) && !Together(pc, ref mask))
                return true;
            uint active = mask;
            if (i->Guard >= 0)
                active &= i->GuardNot ? ~Predicates[i->Guard] : Predicates[i->Guard];
            switch (i->Kind)
            {
                case Kind.Plain:
                    if (active != 0)
                    {
                        Active = active;
                        i->Run(this, i);
                    }
                    pc++;
                    if (i->Converges)
                    {
                        Epoch++;
                        if (shuffle is not null)
                        {
                            Add(pc, mask);
                            mask = 0;
                            Scatter();
                            return true;
                        }
                    }
                    break;
                case Kind.Branch:
                    if (active == mask)
                        pc = (int)i->Immediate;
                    else if (active == 0)
                        pc++;
                    else
                    {
                        Add((int)i->Immediate, active);
                        mask &= ~active;
                        pc++;
                        return true;
                    }
                    break;
                case Kind.Return:
                    mask &= ~active;
                    if (mask == 0)
                        return true;
                    pc++;
                    break;
                case Kind.Barrier:
                    if (active != mask)
                        throw Fault("a barrier under a condition");
                    Add(pc, mask);
                    AtBarrier = true;
                    return false;
            }
            if (pc >= next)
                return true;
        }
    }

    /// <summary>True when every lane that lives is here; otherwise these lanes wait.</summary>
    private bool Together(int pc, ref uint mask)
    {
        if (count == 0)
            return true;
        for (int g = 0; g < count; g++)
            if (groups[g].Pc == pc)
            {
                mask |= groups[g].Mask;
                Remove(g--);
            }
        if (count == 0)
            return true;
        Add(pc, mask);
        groups[count - 1].Waits = true;
        mask = 0;
        return false;
    }

    private int Pick(out int next)
    {
        int best = -1;
        next = int.MaxValue;
        if (shuffle is not null)
        {
            for (int g = 0, seen = 0; g < count; g++)
                if (!groups[g].Waits && shuffle.Next(++seen) == 0)
                    best = g;
            return best;
        }
        for (int g = 0; g < count; g++)
            if (!groups[g].Waits && (best < 0 || groups[g].Pc < groups[best].Pc))
                best = g;
        if (best < 0)
            return -1;
        for (int g = 0; g < count; g++)
        {
            if (g == best)
                continue;
            if (groups[g].Pc == groups[best].Pc)
            {
                groups[best].Mask |= groups[g].Mask;
                Remove(g);
                if (best == count)
                    best = g;
                g--;
            }
            else if (groups[g].Pc > groups[best].Pc)
                next = Math.Min(next, groups[g].Pc);
        }
        return best;
    }

    private void Scatter()
    {
        for (int g = 0, n = count; g < n; g++)
        {
            uint rest = groups[g].Mask & (groups[g].Mask - 1);
            groups[g].Mask ^= rest;
            for (; rest != 0; rest &= rest - 1)
                Add(groups[g].Pc, rest & ~(rest - 1));
        }
    }

    private void Add(int pc, uint mask) => groups[count++] = new Group { Pc = pc, Mask = mask };

    private void Remove(int g) => groups[g] = groups[--count];

    /// <summary>Lanes of Active as vectors of all-ones and zeros; see <see cref="LaneMasks"/>.</summary>
    internal Vector512<int> Mask(int part) => masks.Of(Active, part);

    /// <summary>A predicate's new bits, for the active lanes.</summary>
    internal void SetPredicate(int number, uint bits) =>
        Predicates[number] = (Predicates[number] & ~Active) | (bits & Active);

    internal T* At<T>(int place)
        where T : unmanaged => (T*)(Registers + place);

    /// <param name="lane">The lane that did it; all active ones by default.</param>
    /// <param name="code">What a driver would say.</param>
    internal PtxFault Fault(string what, int lane = -1, CudaResult code = CudaResult.LaunchFailed) =>
        new(
            Kernel.Module.Name,
            Kernel.Name,
            Current->Line,
            Block.Describe(Index, lane < 0 ? Active : 1u << lane),
            what,
            code
        );
}
