using System.Globalization;
using System.Text.RegularExpressions;

namespace LutNative.Interop.Emulator;

/// <summary>
/// Decodes a kernel's body: registers and constants to places in a warp's register file, labels to instruction numbers.
/// </summary>
internal sealed unsafe partial class PtxBody(PtxParser parser, PtxModule module, PtxKernel kernel)
{
    private readonly PtxRegisters registers = new(kernel);
    private readonly Dictionary<string, int> labels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> shared = new(StringComparer.Ordinal);
    private readonly List<(int Instruction, string Label)> branches = [];
    private readonly List<Instruction> code = [];
    private int line;

    internal void Read()
    {
        foreach (var (number, text) in parser.Statements())
        {
            line = number;
            if (text is "{" or "}")
                continue;
            if (text[0] == '.')
                Directive(text);
            else if (text[^1] == ':')
                labels[text[..^1]] = code.Count;
            else
                Decode(text);
        }
        foreach (var (i, label) in branches)
        {
            if (!labels.TryGetValue(label, out int target))
                throw Bad($"no label {label}");
            var c = code[i];
            c.Immediate = target;
            code[i] = c;
        }
        if (code.Count == 0 || code[^1].Kind is not (Kind.Return or Kind.Branch))
            throw Bad("the kernel can run past its end");
        kernel.Code = [.. code];
    }

    private void Directive(string text)
    {
        if (text.StartsWith(".reg ", StringComparison.Ordinal))
        {
            string[] words = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            string type = words[1];
            foreach (string name in string.Concat(words[2..]).Split(','))
            {
                int range = name.IndexOf('<', StringComparison.Ordinal);
                string stem = range < 0 ? name : name[..range];
                registers.Declare(stem, type == ".pred", type.EndsWith("64", StringComparison.Ordinal), range < 0);
            }
        }
        else if (
            text.StartsWith(".shared ", StringComparison.Ordinal)
            && PtxParser.DataRegex().Match(text) is { Success: true } m
        )
        {
            int size = m.Groups["size"].Length == 0 ? 1 : PtxSignature.Number(m.Groups["size"].Value);
            Shared(
                m.Groups["name"].Value,
                PtxSignature.Number(m.Groups["align"].Value),
                size * PtxSignature.ElementBytes(m.Groups["type"].Value)
            );
        }
        else if (
            !text.StartsWith(".pragma", StringComparison.Ordinal) && !text.StartsWith(".loc", StringComparison.Ordinal)
        )
            throw Bad($"unknown directive '{text}'");
    }

    private int Shared(string name, int align, int bytes)
    {
        const int Most = 228 << 10; // of any multiprocessor there is
        if (align <= 0 || bytes < 0 || bytes > Most || kernel.SharedBytes > Most)
            throw Bad($"{bytes} bytes of shared memory, aligned to {align}");
        int place = (kernel.SharedBytes + align - 1) / align * align;
        shared.Add(name, place);
        kernel.SharedBytes = place + bytes;
        return place;
    }

    private void Decode(string text)
    {
        var i = new Instruction { Guard = -1, Line = line };
        if (text[0] == '@')
        {
            int space = text.IndexOfAny([' ', '\t']);
            string guard = text[1..space];
            i.GuardNot = guard[0] == '!';
            i.Guard = Lookup(guard.TrimStart('!')).Place;
            text = text[space..].Trim();
        }
        int gap = text.IndexOfAny([' ', '\t']);
        string opcode = gap < 0 ? text : text[..gap];
        string rest = gap < 0 ? "" : text[gap..].Trim();
        kernel.counts[opcode] = kernel.counts.GetValueOrDefault(opcode) + 1;
        if (!Opcodes.Table.TryGetValue(opcode, out var op))
            throw Bad($"opcode '{opcode}' is not on the list of allowed ones");
        i.Run = op.Run;
        i.Kind = op.Kind;
        i.Converges = op.Converges;
        Operands(ref i, op.Operands, rest);
        code.Add(i);
    }

    /// <summary>Fills R and Immediate as the opcode's operand letters say; see <see cref="Opcodes"/>.</summary>
    private void Operands(ref Instruction i, string letters, string text)
    {
        List<string> given = [.. Split(text)];
        int next = 0;
        int r = 0;
        foreach (char letter in letters)
        {
            if (next >= given.Count)
                throw Bad($"too few operands in '{text}'");
            string operand = given[next++];
            switch (letter)
            {
                case 'p':
                    i.R[r++] = registers.Knows(operand) ? Lookup(operand).Place : ConstantPredicate(operand);
                    break;
                case 'w':
                    i.R[r++] = Value(operand, wide: false);
                    break;
                case 'l':
                    i.R[r++] = Value(operand, wide: true);
                    break;
                case 'W' or 'L':
                    // a result, which may be dropped
                    i.R[r++] = operand == "_" ? registers.Spare() : Written(operand, letter == 'L');
                    break;
                case 'v':
                    foreach (string part in Parts(operand, out i.Vector))
                        i.R[r++] =
                            part == "_" ? registers.Spare()
                            : registers.Knows(part) ? Lookup(part).Place
                            : Value(part, wide: false);
                    break;
                case 'm':
                    // one 64-bit operand or two 32-bit ones; the result's count in Vector, the source's in Immediate
                    var parts = Parts(operand, out int n);
                    foreach (string part in parts)
                        i.R[r++] = part == "_" ? registers.Spare() : Value(part, wide: n == 1);
                    if (i.Vector == 0)
                        i.Vector = n;
                    else
                        i.Immediate = n;
                    break;
                case 'a':
                    Address(ref i, ref r, operand);
                    break;
                case 't':
                    branches.Add((code.Count, operand));
                    break;
                case 'n':
                    i.Immediate = long.Parse(operand, CultureInfo.InvariantCulture);
                    break;
                default:
                    throw Bad($"operand letter {letter}");
            }
        }
        if (next < given.Count)
            throw Bad($"too many operands in '{text}'");
    }

    /// <summary>
    /// [register], [register+bytes], [symbol] or [symbol+bytes]: a register's place in R, bytes in Immediate.
    /// </summary>
    private void Address(ref Instruction i, ref int r, string operand)
    {
        var m = AddressRegex().Match(operand);
        if (!m.Success)
            throw Bad($"address '{operand}'");
        string name = m.Groups["name"].Value;
        if (m.Groups["offset"].Success)
            i.Immediate = long.Parse(m.Groups["offset"].Value, CultureInfo.InvariantCulture);
        if (registers.Knows(name))
        {
            var register = Lookup(name);
            if (!register.Wide)
                throw Bad("a 32-bit register is no address here");
            i.R[r++] = register.Place;
        }
        else
            i.R[r++] = registers.Constant(true, (ulong)Symbol(name));
    }

    private long Symbol(string name)
    {
        if (shared.TryGetValue(name, out int place))
            return place;
        if (kernel.Parameters.FirstOrDefault(p => p.Name == name) is { Bytes: > 0 } parameter)
            return parameter.Offset;
        if (module.Shared.TryGetValue(name, out var outside))
            return Shared(name, outside.Align, outside.Bytes);
        throw Bad($"unknown name '{name}'");
    }

    private int Value(string operand, bool wide)
    {
        if (registers.Knows(operand))
            return Lookup(operand).Place;
        if (operand[0] == '%')
            return Special(operand);
        if (operand.StartsWith("0f", StringComparison.OrdinalIgnoreCase))
            return registers.Constant(
                wide,
                uint.Parse(operand[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            );
        if (operand.StartsWith("0d", StringComparison.OrdinalIgnoreCase))
            return registers.Constant(
                true,
                ulong.Parse(operand[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            );
        if (long.TryParse(operand, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            return registers.Constant(wide, wide ? (ulong)value : (uint)value);
        if (operand.StartsWith("0x", StringComparison.Ordinal))
            return registers.Constant(
                wide,
                ulong.Parse(operand[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            );
        return registers.Constant(wide, (ulong)Symbol(operand));
    }

    private int Written(string operand, bool wide)
    {
        var register = Lookup(operand);
        if (register.Predicate || (wide && !register.Wide))
            throw Bad($"'{operand}' cannot hold the result");
        return register.Place;
    }

    private static string[] Parts(string operand, out int count)
    {
        string[] parts =
            operand[0] == '{' ? operand.Trim('{', '}').Split(',', StringSplitOptions.TrimEntries) : [operand];
        count = parts.Length;
        return parts;
    }

    /// <summary>0 is false, 1 and -1 are true.</summary>
    private int ConstantPredicate(string operand)
    {
        if (operand is not ("0" or "1" or "-1"))
            throw Bad($"'{operand}' is no predicate");
        return registers.ConstantPredicate(operand != "0");
    }

    private int Special(string name)
    {
        if (!Warp.SpecialNames.Contains(name))
            throw Bad($"special register '{name}' is not supported");
        return registers.Special(name);
    }

    private PtxRegisters.Register Lookup(string name) =>
        registers.Find(name) ?? throw Bad($"register '{name}' is not declared");

    /// <summary>Operands between commas; a vector in braces or an address in brackets is one.</summary>
    private static IEnumerable<string> Split(string text)
    {
        int depth = 0;
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is '{' or '[')
                depth++;
            else if (text[i] is '}' or ']')
                depth--;
            else if ((text[i] == ',' || text[i] == '|') && depth == 0)
            {
                yield return text[start..i].Trim();
                start = i + 1;
            }
        }
        if (text.Length > 0)
            yield return text[start..].Trim();
    }

    private PtxException Bad(string what) => new(module.Name, line, what);

    [GeneratedRegex(@"^\[\s*(?<name>[%$\w]+)\s*(\+\s*(?<offset>-?\d+))?\s*\]$")]
    private static partial Regex AddressRegex();
}
