using System.Globalization;
using System.Text.RegularExpressions;

namespace LutNative.Interop.Emulator;

/// <summary>
/// Reads PTX as clang writes it. An opcode that <see cref="Opcodes"/> does not list is refused when the module is read,
/// so what a kernel may use is a whitelist: no approximations, no flush to zero, no rounding that the assembler could
/// choose. Syntax: NVIDIA's "PTX ISA", chapters 4, 5 and 9.
/// </summary>
internal sealed partial class PtxParser
{
    /// <summary>Shared memory begins here in generic addresses.</summary>
    internal const ulong SharedWindow = 0x7000_0000_0000_0000;

    private readonly PtxModule module;
    private readonly string[] lines;
    private int at;

    private PtxParser(string name, string text)
    {
        module = new PtxModule(name);
        lines = text.Split('\n');
    }

    public static PtxModule Parse(string name, string text)
    {
        var parser = new PtxParser(name, text);
        try
        {
            parser.Module();
        }
        catch (Exception e)
            when (e
                    is IndexOutOfRangeException
                        or ArgumentException
                        or FormatException
                        or OverflowException
                        or InvalidOperationException
            )
        {
            // a text that is cut or damaged anywhere: what could not be taken apart is told with the line that was
            // reached
            throw parser.Bad($"malformed ({e.Message})");
        }
        return parser.module;
    }

    private void Module()
    {
        for (; at < lines.Length; at++)
        {
            string line = Strip(lines[at]);
            if (line.Length == 0)
                continue;
            if (line.StartsWith(".version ", StringComparison.Ordinal))
                module.Version = line[9..].Trim();
            else if (line.StartsWith(".target ", StringComparison.Ordinal))
                module.Target = line[8..].Trim();
            else if (line.StartsWith(".address_size", StringComparison.Ordinal))
                continue;
            else if (line.StartsWith(".visible .entry", StringComparison.Ordinal))
                Kernel(line);
            else if (DataRegex().Match(line) is { Success: true } data && data.Groups["space"].Value == "shared")
                module.Shared.Add(
                    data.Groups["name"].Value,
                    (
                        PtxSignature.Number(data.Groups["align"].Value),
                        PtxSignature.Number(data.Groups["size"].Value)
                            * PtxSignature.ElementBytes(data.Groups["type"].Value)
                    )
                );
            else
                throw Bad($"unexpected '{line}' at module scope");
        }
    }

    private void Kernel(string line)
    {
        string header = line;
        while (!header.Contains(')', StringComparison.Ordinal))
            header += " " + Strip(lines[++at]);
        var kernel = new PtxKernel(module, PtxSignature.ReadAll(header).Single());
        for (at++; Strip(lines[at]) != "{"; at++)
            if (lines[at].Contains(".maxntid", StringComparison.Ordinal))
                kernel.MaxThreads = lines[at]
                    .Split(' ', ',', '\t')
                    .Aggregate(
                        1,
                        (n, w) =>
                            int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out int v) ? n * v : n
                    );
        new PtxBody(this, module, kernel).Read();
        module.Kernels.Add(kernel.Name, kernel);
    }

    /// <summary>The body's statements with their line numbers, up to the closing brace.</summary>
    internal IEnumerable<(int Line, string Text)> Statements()
    {
        int depth = 1;
        for (at++; at < lines.Length; at++)
        {
            string rest = Strip(lines[at]);
            while (rest.Length > 0)
            {
                if (rest[0] is '{' or '}')
                {
                    depth += rest[0] == '{' ? 1 : -1;
                    if (depth == 0)
                        yield break;
                    yield return (at + 1, rest[..1]);
                    rest = rest[1..].Trim();
                    continue;
                }
                if (LabelRegex().Match(rest) is { Success: true } label)
                {
                    yield return (at + 1, label.Value);
                    rest = rest[label.Length..].Trim();
                    continue;
                }
                int end = rest.IndexOf(';', StringComparison.Ordinal);
                if (end < 0)
                {
                    // directives such as .pragma may stand alone; anything else goes on in the next line
                    rest += " " + Strip(lines[++at]);
                    continue;
                }
                yield return (at + 1, rest[..end].Trim());
                rest = rest[(end + 1)..].Trim();
            }
        }
        throw Bad("the body of a kernel does not end");
    }

    private PtxException Bad(string what) => new(module.Name, at + 1, what);

    private static string Strip(string line)
    {
        int comment = line.IndexOf("//", StringComparison.Ordinal);
        return (comment < 0 ? line : line[..comment]).Trim();
    }

    [GeneratedRegex(
        @"^(\.visible |\.weak )?\.(?<space>const|global|shared) \.align (?<align>\d+) \.(?<type>\w+) (?<name>[\w$]+)(\[(?<size>\d*)\])?"
    )]
    internal static partial Regex DataRegex();

    [GeneratedRegex(@"^[$%\w]+:(?!:)")]
    private static partial Regex LabelRegex();
}
