using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LutNative.Harness.Commands;

/// <summary>Numeric options, always invariant: the library would read "1,5" as 15, and "0.5" as 5 under a German locale.</summary>
internal static class Numbers
{
    internal static Option<int> Int(string name, int otherwise, string description, int least = 0) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = r => int.TryParse(Text(r), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int v) && v >= least ? v : Fail<int>(r, $"an integer of at least {least}"),
    };

    internal static Option<double?> Double(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = r => double.TryParse(Text(r), NumberStyles.Float, CultureInfo.InvariantCulture, out double v) && double.IsFinite(v) ? v : Fail<double?>(r, "a number written with a point, like 0.5 or 1e-3"),
    };

    private static string Text(ArgumentResult r) => r.Tokens.Count == 1 ? r.Tokens[0].Value : "";

    private static T? Fail<T>(ArgumentResult r, string expected)
    {
        r.AddError($"{(r.Parent as OptionResult)?.Option.Name} '{Text(r)}' is not {expected}");
        return default;
    }
}
