using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>What a comparison of bits is called, and how a verb that made one ends.</summary>
internal static class ExactVerdicts
{
    /// <summary>The one greppable line that ends every verb with a verdict.</summary>
    internal static string Line(ExactReport report, Exit exit)
    {
        string word = report.Verdict switch
        {
            ExactVerdict.Identical => "IDENTICAL",
            ExactVerdict.IdenticalPrefix => "IDENTICAL-PREFIX",
            ExactVerdict.Diverged => "DIVERGED",
            ExactVerdict.Missing => "MISSING",
            _ => "INCOMPARABLE",
        };
        string counts = string.Concat(report.Compared.Select(c => $" {c.Key}={c.Value.Text()}"));
        string first = report.First is null ? "" : $" first=\"{Plain.OneLine(report.First)}\"";
        return $"VERDICT exact={word}{counts}{first} exit={(int)exit}";
    }

    internal static Exit ExitOf(ExactVerdict v) =>
        v switch
        {
            ExactVerdict.Identical => Exit.Ok,
            ExactVerdict.Incomparable or ExactVerdict.IdenticalPrefix => Exit.Inconclusive,
            _ => Exit.Negative,
        };
}
