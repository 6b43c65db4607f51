using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>One value of a protocol.</summary>
/// <param name="Where">It is written: file and line, a default, or the command line.</param>
/// <param name="Citation">Its source; "" when none is given.</param>
/// <param name="Assumed">The source does not say it.</param>
internal sealed record ExplainResult(string Key, string Value, string Where, string Citation, bool Assumed, Exit Exit)
    : IVerbResult
{
    internal static void Text(ExplainResult found) =>
        Output.Table(
            ["what", "value"],
            [
                ["key", found.Key],
                ["value", found.Value],
                ["where", found.Where],
                ["source", found.Citation.Length == 0 ? "none given" : found.Citation],
            ]
        );
}
