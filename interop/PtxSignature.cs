using System.Globalization;
using System.Text.RegularExpressions;

namespace LutNative.Interop;

/// <summary>One parameter of a kernel: where its bytes lie in the launch's parameter block.</summary>
public readonly record struct PtxParameter(string Name, int Offset, int Bytes);

/// <summary>A kernel's name and parameters, read from the PTX: what a launch must pass.</summary>
public sealed partial record PtxSignature(string Name, IReadOnlyList<PtxParameter> Parameters)
{
    public static IEnumerable<PtxSignature> ReadAll(string ptx)
    {
        foreach (Match entry in EntryRegex().Matches(ptx))
            yield return new PtxSignature(
                entry.Groups["name"].Value,
                [.. ReadParameters(entry.Groups["parameters"].Value)]
            );
    }

    private static IEnumerable<PtxParameter> ReadParameters(string text)
    {
        int offset = 0;
        foreach (Match p in ParameterRegex().Matches(text))
        {
            int element = ElementBytes(p.Groups["type"].Value);
            int bytes = p.Groups["size"].Success ? element * Number(p.Groups["size"].Value) : element;
            int align = p.Groups["align"].Success ? Number(p.Groups["align"].Value) : element;
            offset = (offset + align - 1) / align * align;
            yield return new PtxParameter(p.Groups["name"].Value, offset, bytes);
            offset += bytes;
        }
    }

    internal static int ElementBytes(string type) =>
        type[^2..] switch
        {
            "64" => 8,
            "32" => 4,
            "16" => 2,
            _ => 1,
        };

    internal static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\.entry (?<name>\w+)\((?<parameters>[^)]*)\)")]
    private static partial Regex EntryRegex();

    [GeneratedRegex(
        @"\.param (\.align (?<align>\d+) )?\.(?<type>[busf]\d+)( \.ptr[ \.\w]*)? (?<name>[\w$]+)(\[(?<size>\d+)\])?"
    )]
    private static partial Regex ParameterRegex();
}
