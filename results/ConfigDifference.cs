using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LutNative.Results;

/// <summary>Two canonical configurations, key by key: what an unequal math_hash means for people.</summary>
public static partial class ConfigDifference
{
    public const string FileName = "config.canonical.json";
    private const int Shown = 10;

    /// <summary>"pretrain.lr: 0.1 and 0.2", sorted by key; empty when all values are equal.</summary>
    /// <exception cref="JsonException">One of them is no JSON.</exception>
    public static IReadOnlyList<string> Of(string a, string b)
    {
        SortedDictionary<string, string> x = Flatten(a);
        SortedDictionary<string, string> y = Flatten(b);
        return
        [
            .. x
                .Keys.Union(y.Keys)
                .Order(StringComparer.Ordinal)
                .Select(k => (Key: k, A: x.GetValueOrDefault(k, "absent"), B: y.GetValueOrDefault(k, "absent")))
                .Where(k => k.A != k.B)
                .Select(k => $"{k.Key}: {k.A} and {k.B}"),
        ];
    }

    /// <summary>The same of two runs' folders, the first ten; what cannot be read is said.</summary>
    public static IReadOnlyList<string> Of(RunStore a, RunStore b)
    {
        try
        {
            return First(Of(Read(a), Read(b)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [$"the values that differ cannot be told: {e.Message}"];
        }
    }

    /// <summary>The first ten, and how many more there are.</summary>
    public static IReadOnlyList<string> First(IReadOnlyList<string> all) =>
        all.Count <= Shown ? all : [.. all.Take(Shown), FormattableString.Invariant($"and {all.Count - Shown} more")];

    private static string Read(RunStore run) => File.ReadAllText(Path.Combine(run.Folder, FileName));

    /// <summary>Real numbers are kept as their bits: "3fe0000000000000" is 0.5.</summary>
    private static string Number(string quoted) =>
        BitConverter
            .Int64BitsToDouble(long.Parse(quoted.AsSpan(1, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture))
            .ToString("R", CultureInfo.InvariantCulture);

    [GeneratedRegex("\"[0-9a-f]{16}\"")]
    private static partial Regex Floats();

    private static SortedDictionary<string, string> Flatten(string json)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(json);
        Add(document.RootElement, "");
        return values;

        void Add(JsonElement e, string key)
        {
            if (e.ValueKind != JsonValueKind.Object)
                values[key] = Floats().Replace(e.GetRawText(), m => Number(m.Value));
            else
                foreach (var p in e.EnumerateObject())
                    Add(p.Value, key.Length == 0 ? p.Name : $"{key}.{p.Name}");
        }
    }
}
