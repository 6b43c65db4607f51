using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// Numbers as text and as options, always invariant: the library would read "1,5" as 15, and "0.5" as 5 under a German
/// locale.
/// </summary>
internal static class Numbers
{
    /// <summary>
    /// More compute threads than any machine has cores; each takes 16 MiB of address space for its stack.
    /// </summary>
    internal const int MostThreads = 1024;

    /// <summary>A number by a format of .NET's ("f2", "n0"); without one as it is.</summary>
    internal static string Text<T>(this T value, string? format = null)
        where T : IFormattable => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>"" where there is none.</summary>
    internal static string Text<T>(this T? value, string? format = null)
        where T : struct, IFormattable => value is { } known ? known.Text(format) : "";

    internal static Option<int> Int(
        string name,
        int otherwise,
        string description,
        int least = 0,
        int most = int.MaxValue
    ) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => otherwise,
            CustomParser = r =>
                int.TryParse(Text(r), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int v)
                && v >= least
                && v <= most
                    ? v
                    : Fail<int>(
                        r,
                        most == int.MaxValue
                            ? FormattableString.Invariant($"an integer of at least {least}")
                            : FormattableString.Invariant($"an integer from {least} to {most}")
                    ),
        };

    internal static Option<double?> Double(
        string name,
        string description,
        double least = double.MinValue,
        double most = double.MaxValue
    ) =>
        new(name)
        {
            Description = description,
            CustomParser = r =>
                double.TryParse(Text(r), NumberStyles.Float, CultureInfo.InvariantCulture, out double v)
                && double.IsFinite(v)
                && v >= least
                && v <= most
                    ? v
                    : Fail<double?>(
                        r,
                        "a number written with a point, like 0.5 or 1e-3"
                            + (least == double.MinValue ? "" : FormattableString.Invariant($", from {least} to {most}"))
                    ),
        };

    private static string Text(ArgumentResult r) => r.Tokens.Count == 1 ? r.Tokens[0].Value : "";

    private static T? Fail<T>(ArgumentResult r, string expected)
    {
        r.AddError($"{(r.Parent as OptionResult)?.Option.Name} '{Text(r)}' is not {expected}");
        return default;
    }
}
