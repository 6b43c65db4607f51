using System.Globalization;
using System.Text.RegularExpressions;

namespace LutNative.Interop;

/// <summary>A kernel's name and the bytes of each parameter, read from the PTX: what a launch must pass.</summary>
public sealed partial record PtxSignature(string Name, IReadOnlyList<int> ParameterBytes)
{
    public static IEnumerable<PtxSignature> ReadAll(string ptx)
    {
        foreach (Match entry in EntryRegex().Matches(ptx))
            yield return new PtxSignature(entry.Groups["name"].Value, [.. ParameterRegex().Matches(entry.Groups["parameters"].Value).Select(Bytes)]);
    }

    private static int Bytes(Match p)
    {
        int element = p.Groups["type"].Value[^2..] switch { "64" => 8, "32" => 4, "16" => 2, _ => 1 };
        return p.Groups["size"].Success ? element * int.Parse(p.Groups["size"].Value, CultureInfo.InvariantCulture) : element;
    }

    [GeneratedRegex(@"\.entry (?<name>\w+)\((?<parameters>[^)]*)\)")]
    private static partial Regex EntryRegex();

    [GeneratedRegex(@"\.param (\.align \d+ )?\.(?<type>[busf]\d+)( \.ptr[ \.\w]*)? [\w$]+(\[(?<size>\d+)\])?")]
    private static partial Regex ParameterRegex();
}
