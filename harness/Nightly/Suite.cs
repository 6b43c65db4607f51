using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Nightly;

/// <summary>A protocol whose bits must be the committed reference's.</summary>
internal sealed record BitsRow(string Name, string Protocol);

/// <summary>A protocol whose accuracy must lie in a band, over seeds: does training still learn?</summary>
/// <param name="Low">Percent; the mean over seeds must not be below.</param>
internal sealed record SmokeRow(
    string Name,
    string Protocol,
    IReadOnlyList<long> Seeds,
    string Metric,
    double Low,
    double High,
    IReadOnlyList<string> Set
);

/// <summary>A benchmark that is held against its baseline.</summary>
internal sealed record PerfRow(string Name, BenchOrder Order, int Launches);

/// <summary>
/// What a night runs (ops/nightly.toml): [bits.NAME], then [smoke.NAME], then [perf.NAME]. Read as strictly as a
/// protocol: unknown and missing keys are errors with the nearest name.
/// </summary>
internal sealed record Suite(
    IReadOnlyList<BitsRow> Bits,
    IReadOnlyList<SmokeRow> Smoke,
    IReadOnlyList<PerfRow> Perf,
    string Text
)
{
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["bits"] = ["protocol"],
        ["smoke"] = ["protocol", "seeds", "metric", "low", "high", "set"],
        ["perf"] = ["shape", "stage", "method", "batch", "launches", "blocks", "seconds", "premade", "math"],
    };

    private static readonly string[] Optional = ["set", "method", "batch", "premade", "math"];

    internal const string NameRule =
        "a row's name is letters, digits, _ and -, and becomes a file's name and a key of the baselines";

    internal static bool IsName(string name) =>
        FileName.Fits(name) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    internal static Suite Load(string path)
    {
        if (!File.Exists(path))
            throw NightlyErrors.NoSuite(path);
        var problems = new List<string>();
        string text = Files.ReadText(path, "the suite", Exit.Usage);
        var values = ProtocolReader.Parse(text, path, problems);
        var rows = new Dictionary<(string Kind, string Name), Dictionary<string, object>>();
        foreach (var (key, (value, where)) in values)
        {
            string[] part = key.Split('.');
            if (part.Length != 3 || !Known.TryGetValue(part[0], out string[]? keys))
                problems.Add(
                    $"{where}: {key} is not in a section; sections are [bits.NAME], [smoke.NAME], [perf.NAME]"
                );
            else if (!IsName(part[1]))
                problems.Add($"{where}: {Plain.OneLine(part[1])} cannot be a row's name: {NameRule}");
            else if (!keys.Contains(part[2]))
                problems.Add($"{where}: unknown key {part[2]}; did you mean {Nearest.To(part[2], keys)}?");
            else
            {
                if (!rows.TryGetValue((part[0], part[1]), out var row))
                    rows[(part[0], part[1])] = row = [];
                row[part[2]] = value;
            }
        }
        foreach (var ((kind, name), row) in rows)
        foreach (string missing in Known[kind].Except(Optional).Where(k => !row.ContainsKey(k)))
            problems.Add($"{path}: [{kind}.{name}] lacks {missing}");
        var suite =
            problems.Count > 0
                ? null
                : new Suite(
                    [.. Of("bits").Select(r => new BitsRow(r.Name, Text(r, "protocol")))],
                    [
                        .. Of("smoke")
                            .Select(r => new SmokeRow(
                                r.Name,
                                Text(r, "protocol"),
                                [.. List(r, "seeds").Select(s => Cast<long>(s, r.Name, "seeds"))],
                                Text(r, "metric"),
                                Number(r, "low"),
                                Number(r, "high"),
                                [.. List(r, "set").Select(s => Cast<string>(s, r.Name, "set"))]
                            )),
                    ],
                    [
                        .. Of("perf")
                            .Select(r => new PerfRow(
                                r.Name,
                                new BenchOrder(
                                    Text(r, "shape"),
                                    Text(r, "stage"),
                                    Text(r, "method", ""),
                                    (int)Number(r, "batch", 0),
                                    Blocks: (int)Number(r, "blocks"),
                                    Seconds: Number(r, "seconds"),
                                    Premade: r.Row.GetValueOrDefault("premade") is true,
                                    Math: Text(r, "math", "exact")
                                ),
                                (int)Number(r, "launches")
                            )),
                    ],
                    text
                );
        foreach (
            string protocol in suite is null
                ? []
                : suite.Bits.Select(b => b.Protocol).Concat(suite.Smoke.Select(s => s.Protocol))
        )
            if (!ProtocolReader.BuiltIn.Contains(protocol))
                problems.Add(
                    $"{path}: there is no protocol {protocol}; did you mean "
                        + $"{Nearest.To(protocol, ProtocolReader.BuiltIn)}?"
                );
        if (problems.Count > 0)
            throw NightlyErrors.SuiteProblems(problems);
        return suite!;

        IEnumerable<(string Name, Dictionary<string, object> Row)> Of(string kind) =>
            rows.Where(r => r.Key.Kind == kind).Select(r => (r.Key.Name, r.Value));

        T Cast<T>(object? v, string name, string key)
        {
            if (v is T t)
                return t;
            problems.Add($"{path}: {name}.{key} must hold {(typeof(T) == typeof(long) ? "whole numbers" : "text")}");
            return default!;
        }

        string Text((string Name, Dictionary<string, object> Row) r, string key, string? otherwise = null) =>
            !r.Row.TryGetValue(key, out object? v) && otherwise is not null
                ? otherwise
                : Cast<string>(v, r.Name, key) ?? "";

        double Number((string Name, Dictionary<string, object> Row) r, string key, double? otherwise = null)
        {
            object? v = r.Row.GetValueOrDefault(key);
            if (v is null && otherwise is { } o)
                return o;
            if (v is double or long)
                return Convert.ToDouble(v, System.Globalization.CultureInfo.InvariantCulture);
            problems.Add($"{path}: {r.Name}.{key} must be a number");
            return 0;
        }

        IEnumerable<object?> List((string Name, Dictionary<string, object> Row) r, string key)
        {
            if (!r.Row.TryGetValue(key, out object? v))
                return [];
            if (v is object?[] list)
                return list;
            problems.Add($"{path}: {r.Name}.{key} must be an array");
            return [];
        }
    }
}
