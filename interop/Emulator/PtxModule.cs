namespace LutNative.Interop.Emulator;

/// <summary>
/// A PTX text as the emulator runs it: kernels decoded to instructions, constant tables as bytes. Made by <see
/// cref="PtxParser"/>.
/// </summary>
internal sealed class PtxModule(string name)
{
    /// <summary>For messages: the file's name.</summary>
    public string Name { get; } = name;
    public string Target { get; internal set; } = "";
    public string Version { get; internal set; } = "";
    public Dictionary<string, PtxKernel> Kernels { get; } = new(StringComparer.Ordinal);

    /// <summary>Shared memory declared outside a kernel: it counts for the kernels that name it.</summary>
    internal Dictionary<string, (int Align, int Bytes)> Shared { get; } = new(StringComparer.Ordinal);
}

/// <summary>One .entry: its parameters, resources and instructions.</summary>
internal sealed class PtxKernel(PtxModule module, PtxSignature signature)
{
    public PtxModule Module { get; } = module;
    public string Name => signature.Name;
    public IReadOnlyList<PtxParameter> Parameters => signature.Parameters;

    /// <summary>Threads of a block from .maxntid, or 0.</summary>
    public int MaxThreads { get; internal set; }
    public int SharedBytes { get; internal set; }

    internal Instruction[] Code { get; set; } = [];

    /// <summary>
    /// Bytes of a warp's register file, and its initial contents: constants and special registers have places of their
    /// own.
    /// </summary>
    internal int RegisterBytes { get; set; }
    internal int Predicates { get; set; }
    internal List<(int Number, bool Value)> ConstantPredicates { get; } = [];
    internal List<(int Offset, bool Wide, ulong Value)> Constants { get; } = [];
    internal Dictionary<string, int> Specials { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts of full opcodes, for tests that pin what a kernel is made of.</summary>
    public IReadOnlyDictionary<string, int> Opcodes => counts;
    internal readonly Dictionary<string, int> counts = new(StringComparer.Ordinal);

    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Bytes;
}

/// <summary>One instruction. Operands are byte offsets into the warp's register file, or predicate numbers.</summary>
internal unsafe struct Instruction
{
    /// <summary>Runs it for the lanes of warp.Active.</summary>
    public delegate* <Warp, Instruction*, void> Run;

    /// <summary>
    /// Destinations, then sources, in the order of the text; a vector operand takes consecutive places.
    /// </summary>
    public fixed int R[14];

    /// <summary>Guard predicate, or -1.</summary>
    public int Guard;
    public bool GuardNot;
    public Kind Kind;

    /// <summary>Lanes must come together here (shfl, vote, bar, mma).</summary>
    public bool Converges;

    /// <summary>Branch target, or bytes to add to an address, or a symbol's address.</summary>
    public long Immediate;

    /// <summary>Elements of a vector access.</summary>
    public int Vector;
    public int Line;
}

internal enum Kind : byte
{
    Plain,
    Branch,
    Barrier,
    Return,
}

/// <summary>PTX that the emulator, and so the project, refuses: unknown opcode, bad operand, wrong structure.</summary>
internal sealed class PtxException(string module, int line, string what) : Exception($"{module}:{line}: {what}");
