namespace LutNative.Interop.Emulator;

/// <summary>How an opcode reads its operands and what runs it.</summary>
/// <param name="operands">
/// One letter an operand: W, L a 32 or 64-bit result; w, l a source; p a predicate; v one to four registers; m one
/// 64-bit register or two 32-bit ones; a an address; t a label; n a number.
/// </param>
internal readonly unsafe struct Opcode(
    string operands,
    delegate* <Warp, Instruction*, void> run,
    Kind kind = Kind.Plain,
    bool converges = false
)
{
    public readonly string Operands = operands;
    public readonly delegate* <Warp, Instruction*, void> Run = run;
    public readonly Kind Kind = kind;
    public readonly bool Converges = converges;
}

/// <summary>
/// Every opcode a kernel may use, by its full name: the policy and the decoder in one table. What is not here
/// (approximations, .ftz, float atomics, adds and multiplications without a rounding mode, which an assembler may fuse)
/// is refused when a module is read.
/// </summary>
internal static unsafe partial class Opcodes
{
    internal static readonly Dictionary<string, Opcode> Table = new(StringComparer.Ordinal);

    static Opcodes()
    {
        Float();
        Integer();
        Convert();
        Memory();
        Atomics();
        Control();
        TensorCore();
    }

    private static void Add(
        string names,
        string operands,
        delegate* <Warp, Instruction*, void> run,
        Kind kind = Kind.Plain,
        bool converges = false
    )
    {
        foreach (string name in names.Split(' '))
            Table.Add(name, new Opcode(operands, run, kind, converges));
    }
}
