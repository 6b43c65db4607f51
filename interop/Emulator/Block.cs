using System.Runtime.InteropServices;

namespace LutNative.Interop.Emulator;

/// <summary>One block of a launch at a time: shared memory, warps, and the shadows that find races.</summary>
internal sealed unsafe class Block : IDisposable
{
    private readonly PtxKernel kernel;
    private readonly Warp[] warps;
    private readonly byte* registers;
    private readonly int threads;
    private readonly (int X, int Y, int Z) size;
    private readonly Random random;
    private readonly EmulationOptions options;
    private readonly Shadow? shadow;
    private int epoch;
    private int number;
    private (int X, int Y, int Z) place;

    internal readonly byte* Parameters;
    internal readonly byte* Shared;
    internal readonly int SharedBytes;
    internal readonly DeviceMemory Memory;
    internal DeviceMemory.Allocation? Last;
    internal bool Checks;

    internal Block(
        PtxKernel kernel,
        DeviceMemory memory,
        (int X, int Y, int Z) grid,
        (int X, int Y, int Z) size,
        int dynamicShared,
        byte* parameters,
        EmulationOptions options,
        int seed
    )
    {
        this.kernel = kernel;
        Memory = memory;
        this.size = size;
        this.options = options;
        Parameters = parameters;
        threads = size.X * size.Y * size.Z;
        random = new Random(seed);
        Checks = options.Checks;
        SharedBytes = kernel.SharedBytes + dynamicShared;
        Shared = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(SharedBytes, 64), 64);
        shadow = Checks ? new Shadow(SharedBytes / 4 + 1) : null;
        warps = new Warp[(threads + 31) / 32];
        int bytes = (kernel.RegisterBytes + 63) / 64 * 64;
        int predicates = (kernel.Predicates * 4 + 63) / 64 * 64;
        registers = (byte*)NativeMemory.AlignedAlloc((nuint)(warps.Length * (bytes + predicates) + 64), 64);
        for (int i = 0; i < warps.Length; i++)
        {
            byte* own = registers + (long)i * (bytes + predicates);
            warps[i] = new Warp
            {
                Block = this,
                Kernel = kernel,
                Registers = own,
                Predicates = (uint*)(own + bytes),
                Index = i,
            };
            Prepare(warps[i], grid);
        }
    }

    /// <summary>Registers that no instruction writes: constants, thread and grid numbers.</summary>
    private void Prepare(Warp w, (int X, int Y, int Z) grid)
    {
        new Span<byte>(w.Registers, kernel.RegisterBytes).Fill(0xff);
        foreach (var (offset, wide, value) in kernel.Constants)
            if (wide)
                new Span<ulong>(w.Registers + offset, 32).Fill(value);
            else
                new Span<uint>(w.Registers + offset, 32).Fill((uint)value);
        foreach (var (number, value) in kernel.ConstantPredicates)
            w.Predicates[number] = value ? uint.MaxValue : 0;
        foreach (var (name, offset) in kernel.Specials)
            for (int l = 0; l < 32; l++)
            {
                int t = w.Index * 32 + l;
                w.At<int>(offset)[l] = name switch
                {
                    "%tid.x" => t % size.X,
                    "%tid.y" => t / size.X % size.Y,
                    "%tid.z" => t / (size.X * size.Y),
                    "%ntid.x" => size.X,
                    "%ntid.y" => size.Y,
                    "%ntid.z" => size.Z,
                    "%nctaid.x" => grid.X,
                    "%nctaid.y" => grid.Y,
                    "%nctaid.z" => grid.Z,
                    "%laneid" => l,
                    _ => 0,
                };
            }
    }

    internal void Run(int x, int y, int z, int index)
    {
        place = (x, y, z);
        number = index + 1;
        epoch = 1;
        shadow?.Forget();
        shadow?.Lose();
        new Span<byte>(Shared, SharedBytes).Fill(0xff);
        foreach (var w in warps)
        {
            foreach (var (name, value) in ((string, int)[])[("%ctaid.x", x), ("%ctaid.y", y), ("%ctaid.z", z)])
                if (kernel.Specials.TryGetValue(name, out int offset))
                    new Span<int>(w.Registers + offset, 32).Fill(value);
            int lanes = Math.Min(32, threads - w.Index * 32);
            w.Start(lanes == 32 ? uint.MaxValue : (1u << lanes) - 1, options.SplitLanes ? random : null);
        }
        fixed (Instruction* code = kernel.Code)
            while (true)
            {
                foreach (int i in Order(warps.Length))
                    if (!warps[i].Done)
                        warps[i].Run(code);
                int waiting = warps.Count(w => w.AtBarrier);
                if (waiting == 0)
                    break;
                if (waiting < warps.Length)
                    throw warps.First(w => w.AtBarrier).Fault("a barrier that some warps of the block never reach");
                epoch++;
                foreach (var w in warps)
                    w.PassBarrier();
            }
    }

    private IEnumerable<int> Order(int n)
    {
        if (options.Order == WarpOrder.Ascending)
            return Enumerable.Range(0, n);
        if (options.Order == WarpOrder.Descending)
            return Enumerable.Range(0, n).Reverse();
        int[] all = [.. Enumerable.Range(0, n)];
        random.Shuffle(all);
        return all;
    }

    /// <summary>Barriers passed by the block, and meetings of the warp's lanes since.</summary>
    private int EpochOf(Warp w) => epoch << 12 | (w.Epoch & 4095);

    internal void CheckShared(Warp w, int lane, int address, int bytes, bool write)
    {
        for (int word = address / 4; word <= (address + bytes - 1) / 4; word++)
            if (shadow!.Access(word, 1, w.Index * 32 + lane + 1, EpochOf(w), write) is { } wrong)
                throw w.Fault($"shared word {4 * word}: {wrong}", lane);
    }

    internal void CheckGlobal(Warp w, int lane, ulong address, uint bytes, bool write)
    {
        var a =
            Last is { } last && address >= last.Address && address + bytes <= last.End
                ? last
                : Memory.Find(address, bytes)!;
        for (ulong word = (address - a.Address) / 4; word <= (address + bytes - 1 - a.Address) / 4; word++)
            if (a.Shadow!.Access((long)word, number, w.Index * 32 + lane + 1, EpochOf(w), write) is { } wrong)
                throw w.Fault($"address {a.Address + 4 * word:x}: {wrong}", lane);
    }

    internal void TouchAtomic(ulong address, int bytes)
    {
        if (Memory.Find(address, (ulong)bytes) is { } a)
            DeviceMemory.Touch(a, address, (ulong)bytes);
    }

    internal string Describe(int warp, uint lanes)
    {
        var ids = Enumerable.Range(0, 32).Where(l => (lanes >> l & 1) != 0).Select(l => warp * 32 + l).ToArray();
        string which =
            ids.Length == 0 ? $"warp {warp}"
            : ids.Length == 1 ? $"thread {ids[0]}"
            : $"threads {ids[0]} to {ids[^1]}";
        return $"block ({place.X}, {place.Y}, {place.Z}), {which}";
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Shared);
        NativeMemory.AlignedFree(registers);
    }
}
