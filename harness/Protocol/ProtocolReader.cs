using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Errors;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace LutNative.Harness.Protocol;

/// <summary>
/// Reads protocols strictly: unknown, missing, duplicate and wrongly typed keys are errors, all reported at once,
/// unknown ones with the nearest name. Numbers are invariant; nothing in a file is executed.
/// </summary>
public static class ProtocolReader
{
    /// <summary>Names of the protocols inside this program.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } =
    [
        .. typeof(ProtocolReader)
            .Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith("protocols/", StringComparison.Ordinal))
            .Select(n => n["protocols/".Length..^".toml".Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>
    /// A built-in name (fashion-lut@1) or the path of a .toml file, with overrides "section.key=value" and, apart from
    /// them, another seed.
    /// </summary>
    public static ResolvedProtocol Load(string nameOrPath, IEnumerable<string> overrides, long? seed = null)
    {
        bool isPath = nameOrPath.EndsWith(".toml", StringComparison.Ordinal) || nameOrPath.Contains('/');
        string text;
        if (isPath)
        {
            if (!File.Exists(nameOrPath))
                throw ProtocolErrors.NoFile(nameOrPath, BuiltIn);
            text = Files.ReadText(nameOrPath, "the protocol", Exit.Usage);
        }
        else
        {
            if (!BuiltIn.Contains(nameOrPath))
                throw ProtocolErrors.NoProtocol(nameOrPath, BuiltIn);
            text = TextOf(nameOrPath);
        }
        return Resolve(text, isPath ? nameOrPath : $"protocols/{nameOrPath}.toml", overrides, seed);
    }

    private static string TextOf(string builtIn)
    {
        using var reader = new StreamReader(
            typeof(ProtocolReader).Assembly.GetManifestResourceStream($"protocols/{builtIn}.toml")!
        );
        return reader.ReadToEnd();
    }

    public static ResolvedProtocol Resolve(string toml, string origin, IEnumerable<string> overrides, long? seed = null)
    {
        var problems = new List<string>();
        var values = WithBase(toml, origin, problems);
        var known = Keys(typeof(ProtocolSpec), "").ToDictionary(k => k.Path, k => k.Type);
        if (seed is { } chosen)
            values["seed"] = (chosen, "--seed"); // a repetition, not a modification
        string before = problems.Count == 0 ? Fingerprint(values) : "";
        foreach (string set in overrides)
            Override(set, values, known, problems);
        foreach (var (path, (_, where)) in values.Where(v => !known.ContainsKey(v.Key)))
            problems.Add($"{where}: unknown key {path}; did you mean {Nearest.To(path, known.Keys)}?");
        foreach (
            string path in known.Keys.Where(k =>
                !values.ContainsKey(k) && !(Optional(k) && !values.Keys.Any(v => SectionOf(v) == SectionOf(k)))
            )
        )
            problems.Add($"{origin}: missing key {path}");
        var converted = new Dictionary<string, object>();
        foreach (var (path, (value, where)) in values)
            if (known.TryGetValue(path, out var type))
            {
                if (Convert(value, type) is { } v)
                    converted[path] = v;
                else
                    problems.Add($"{where}: {path} = {Show(value)} is not {Describe(type)}");
            }
        if (problems.Count == 0)
            problems.AddRange(ProtocolRules.Check(converted, origin));
        if (problems.Count > 0)
            throw ProtocolErrors.Problems(problems);
        var spec = (ProtocolSpec)Build(typeof(ProtocolSpec), "", converted);
        bool modified = before != Fingerprint(values);
        string canonical = Canonical(converted);
        string hash = System.Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
        return new ResolvedProtocol(
            spec,
            spec.Protocol + (modified ? "+modified" : ""),
            modified,
            Render(converted),
            canonical,
            hash,
            origin
        );
    }

    /// <summary>
    /// A file's values over those of its base, if it names one: base = "a built-in protocol" and differences. The
    /// resolved whole is what runs, is hashed and is stored.
    /// </summary>
    private static Dictionary<string, (object Value, string Where)> WithBase(
        string toml,
        string origin,
        List<string> problems,
        int depth = 0
    )
    {
        var values = Parse(toml, origin, problems);
        if (!values.Remove("base", out var named))
            return values;
        if (named.Value is not string name || !BuiltIn.Contains(name) || depth > 4)
        {
            problems.Add(
                $"{named.Where}: base = {Show(named.Value)} is no built-in protocol; did you mean "
                    + $"{Nearest.To(named.Value.ToString()!, BuiltIn)}?"
            );
            return values;
        }
        var all = WithBase(TextOf(name), $"protocols/{name}.toml", problems, depth + 1);
        foreach (var (path, value) in values)
            all[path] = value;
        return all;
    }

    /// <summary>A key's value, where it is written, and what its line says of its source.</summary>
    public static (string Value, string Where, string Citation) Explain(ResolvedProtocol p, string key)
    {
        var (_, _, value) = Assignments(p.Toml).FirstOrDefault(a => a.Path == key);
        if (value is null)
            throw ProtocolErrors.NoKey(key, Keys(typeof(ProtocolSpec), "").Select(k => k.Path));
        string file = p.Origin;
        string text = File.Exists(file) ? File.ReadAllText(file) : TextOf(p.Spec.Protocol);
        if (
            p.Modified
            && Explain(Load(File.Exists(file) ? file : p.Spec.Protocol, []), key) is var (written, place, source)
            && written != value
        )
            return (value, "--set", $"changed on the command line; {place} says {written}: {source}");
        while (true)
        {
            var (line, _, found) = Assignments(text).FirstOrDefault(a => a.Path == key);
            if (found is not null)
                return (value, $"{file}:{line}", found.Split(" # ", 2) is [_, var comment] ? comment : "");
            // not in this file, so in its base: a protocol that resolved has every key somewhere
            string named = (string)Parse(text, file, [])["base"].Value;
            (file, text) = ($"protocols/{named}.toml", TextOf(named));
        }
    }

    /// <summary>
    /// Every line "key = ..." of a TOML text: its number, the key's path, and what stands behind the equals sign.
    /// </summary>
    private static IEnumerable<(int Line, string Path, string Text)> Assignments(string toml)
    {
        string section = "";
        int number = 0;
        foreach (string line in toml.Split('\n'))
        {
            number++;
            if (line.StartsWith('['))
                section = line[1..line.IndexOf(']', StringComparison.Ordinal)] + ".";
            else if (line.Split(" = ", 2) is [{ Length: > 0 } key, var set] && line[0] != '#')
                yield return (number, section + key.Trim(), set.Trim());
        }
    }

    /// <summary>Every key of a TOML text with its value and line.</summary>
    internal static Dictionary<string, (object Value, string Where)> Parse(
        string toml,
        string origin,
        List<string> problems
    )
    {
        var values = new Dictionary<string, (object, string)>();
        var document = Document(toml, origin, out string why) ?? throw ProtocolErrors.TooDeep(origin, why);
        foreach (var d in document.Diagnostics)
            problems.Add($"{origin}:{d.Span.Start.Line + 1}: {d.Message}");
        void Add(string prefix, KeyValueSyntax item)
        {
            string path = prefix + item.Key!.ToString().Trim();
            string where = $"{origin}:{item.Span.Start.Line + 1}";
            if (Value(item.Value) is not { } v)
                problems.Add($"{where}: {path} has a value of an unsupported kind");
            else if (!values.TryAdd(path, (v, where)))
                problems.Add($"{where}: {path} is given twice");
        }
        foreach (var item in document.KeyValues)
            Add("", item);
        foreach (var table in document.Tables)
        foreach (var item in table.Items)
            Add(table.Name!.ToString().Trim() + ".", item);
        return values;
    }

    /// <summary>
    /// null where the text is nested deeper than any value of ours: the parser has a limit, so that no file can exhaust
    /// the stack.
    /// </summary>
    private static DocumentSyntax? Document(string toml, string origin, out string why)
    {
        why = "";
        try
        {
            return SyntaxParser.Parse(toml, origin);
        }
        catch (TomlException e)
        {
            why = e.Message.Split(". ")[0];
            return null;
        }
    }

    private static object? Value(ValueSyntax? v) =>
        v switch
        {
            IntegerValueSyntax i => i.Value,
            FloatValueSyntax f => f.Value,
            BooleanValueSyntax b => b.Value,
            StringValueSyntax s => s.Value,
            ArraySyntax a => a.Items.Select(x => Value(x.Value)).ToArray(),
            _ => null,
        };

    /// <summary>"section.key=value": the value is read as TOML, or as a plain string for string keys.</summary>
    private static void Override(
        string set,
        Dictionary<string, (object, string)> values,
        Dictionary<string, Type> known,
        List<string> problems
    )
    {
        int equals = set.IndexOf('=', StringComparison.Ordinal);
        string path = equals < 0 ? set : set[..equals].Trim();
        string where = $"--set {set}";
        if (equals < 0)
            problems.Add($"{where}: needs the form key=value");
        else if (!known.TryGetValue(path, out var type))
            problems.Add($"{where}: unknown key {path}; did you mean {Nearest.To(path, known.Keys)}?");
        else
        {
            string text = set[(equals + 1)..].Trim();
            if (type == typeof(string))
                values[path] = (text, where);
            else
            {
                var probe = Document($"x = {text}\n", where, out _);
                object? v = probe is null or { HasErrors: true }
                    ? null
                    : Value(probe.KeyValues.FirstOrDefault()?.Value);
                if (v is null)
                    problems.Add($"{where}: {text} is not {Describe(type)}");
                else
                    values[path] = (v, where);
            }
        }
    }

    private static IEnumerable<(string Path, Type Type)> Keys(Type type, string prefix) =>
        type.GetConstructors()[0]
            .GetParameters()
            .SelectMany(p =>
                IsSection(p.ParameterType)
                    ? Keys(p.ParameterType, prefix + Snake(p.Name!) + ".")
                    : [(prefix + Snake(p.Name!), p.ParameterType)]
            );

    private static object Build(Type type, string prefix, Dictionary<string, object> values) =>
        type.GetConstructors()[0]
            .Invoke([
                .. type.GetConstructors()[0]
                    .GetParameters()
                    .Select(p =>
                        !IsSection(p.ParameterType) ? values[prefix + Snake(p.Name!)]
                        : p.HasDefaultValue && !values.Keys.Any(k => SectionOf(k) == Snake(p.Name!)) ? null
                        : Build(p.ParameterType, prefix + Snake(p.Name!) + ".", values)
                    ),
            ]);

    private static string SectionOf(string path) => path.LastIndexOf('.') is >= 0 and int dot ? path[..dot] : "";

    /// <summary>Whether a key belongs to a section that may be left out whole.</summary>
    private static bool Optional(string path) =>
        typeof(ProtocolSpec)
            .GetConstructors()[0]
            .GetParameters()
            .Any(p => p.HasDefaultValue && Snake(p.Name!) == SectionOf(path));

    private static bool IsSection(Type t) => t.Namespace == typeof(ProtocolSpec).Namespace;

    private static string Snake(string name) =>
        string.Concat(
            name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString())
        );

    private static object? Convert(object value, Type type) =>
        type == typeof(int) && value is long i and >= int.MinValue and <= int.MaxValue ? (int)i
        : type == typeof(long) && value is long l ? l
        : type == typeof(double) && value is double d && double.IsFinite(d) ? d
        : type == typeof(double) && value is long n ? (double)n
        : type == typeof(bool) && value is bool b ? b
        : type == typeof(string) && value is string s ? s
        : type == typeof(double[]) && value is object?[] a && a.All(x => x is double or long)
            ? a.Select(x => x is long n ? n : (double)x!).ToArray()
        : null;

    private static string Describe(Type type) =>
        type == typeof(int) || type == typeof(long) ? "an integer"
        : type == typeof(double) ? "a finite number (write 1.5, with a point)"
        : type == typeof(bool) ? "true or false"
        : type == typeof(string) ? "a string"
        : "an array of numbers";

    private static string Show(object value) =>
        value switch
        {
            string s => "\"" + s + "\"",
            bool b => b ? "true" : "false",
            double d => d.ToString("R", CultureInfo.InvariantCulture) is var t
            && t.AsSpan().IndexOfAny('.', 'E', 'n') < 0
                ? t + ".0"
                : t,
            double[] a => "[" + string.Join(", ", a.Select(x => Show(x))) + "]",
            object?[] a => "[" + string.Join(", ", a.Select(x => Show(x ?? "?"))) + "]",
            _ => System.Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };

    private static string Fingerprint(Dictionary<string, (object Value, string Where)> values) =>
        string.Join(
            "\n",
            values
                .OrderBy(v => v.Key, StringComparer.Ordinal)
                .Select(v => v.Key + "=" + Show(v.Value.Value is long n ? (double)n : v.Value.Value))
        );

    /// <summary>The whole protocol with every value, as it is stored with a run.</summary>
    private static string Render(Dictionary<string, object> values)
    {
        var text = new StringBuilder();
        string section = "";
        foreach (var (path, _) in Keys(typeof(ProtocolSpec), "").Where(k => values.ContainsKey(k.Path)))
        {
            int dot = path.LastIndexOf('.');
            string at = dot < 0 ? "" : path[..dot];
            if (at != section)
                text.Append('\n').Append('[').Append(section = at).Append("]\n");
            text.Append(path[(dot + 1)..]).Append(" = ").Append(Show(values[path])).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>
    /// What math_hash covers: keys in ordinal order, floats as the 16 hex digits of their bits; names and prose are
    /// left out.
    /// </summary>
    private static string Canonical(Dictionary<string, object> values)
    {
        static string Bits(double d) =>
            "\"" + BitConverter.DoubleToInt64Bits(d).ToString("x16", CultureInfo.InvariantCulture) + "\"";
        var items = values
            .Where(v => v.Key is not ("protocol" or "title" or "source"))
            .OrderBy(v => v.Key, StringComparer.Ordinal)
            .Select(v =>
                $"\"{v.Key}\":"
                + (
                    v.Value switch
                    {
                        double d => Bits(d),
                        double[] a => "[" + string.Join(",", a.Select(Bits)) + "]",
                        var x => Show(x),
                    }
                )
            );
        return "{" + string.Join(",", items) + "}";
    }
}
