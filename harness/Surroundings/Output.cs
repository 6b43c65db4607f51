using System.Globalization;
using System.Text.Json;
using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Surroundings;

/// <summary>What verbs print on standard output: plain tables whose columns never wrap, or one JSON object.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>Names in snake_case, as the tables' columns are.</summary>
    internal static void Json(object value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, Indented));

    /// <summary>A line that may hold text from files: it stays one line and moves no cursor.</summary>
    internal static void Line(string text) => Console.Out.WriteLine(Plain.OneLine(text));

    internal static void Table(string[] head, IEnumerable<string[]> rows)
    {
        // cells hold text from files
        string[][] all = [.. rows.Prepend(head).Select(r => r.Select(Plain.OneLine).ToArray())];
        int[] width = [.. Enumerable.Range(0, head.Length).Select(c => all.Max(r => r[c].Length))];
        foreach (var r in all)
            Console.Out.WriteLine(string.Join("  ", r.Select((cell, c) => cell.PadRight(width[c]))).TrimEnd());
    }

    internal static string Percent(long correct, long n) =>
        (100.0 * correct / n).ToString("f2", CultureInfo.InvariantCulture);

    internal static IEnumerable<string[]> Evals(RunStore run) =>
        run.Read(Schema.Evals)
            .Rows.Select(e =>
                new[] { e.Metric, FormattableString.Invariant($"{e.Correct}/{e.N}"), Percent(e.Correct, e.N) }
            );

    /// <summary>The one greppable line that ends every verb with a verdict.</summary>
    internal static string Verdict(ExactReport report, Exit exit)
    {
        string word = report.Verdict switch
        {
            ExactVerdict.Identical => "IDENTICAL",
            ExactVerdict.IdenticalPrefix => "IDENTICAL-PREFIX",
            ExactVerdict.Diverged => "DIVERGED",
            ExactVerdict.Missing => "MISSING",
            _ => "INCOMPARABLE",
        };
        string counts = string.Concat(
            report.Compared.Select(c => $" {c.Key}={c.Value.ToString(CultureInfo.InvariantCulture)}")
        );
        return $"VERDICT exact={word}{counts}{(report.First is null ? "" : $" first=\"{Plain.OneLine(report.First)}\"")} exit={(int)exit}";
    }

    internal static Exit ExitOf(ExactVerdict v) =>
        v switch
        {
            ExactVerdict.Identical => Exit.Ok,
            ExactVerdict.Incomparable or ExactVerdict.IdenticalPrefix => Exit.Inconclusive,
            _ => Exit.Negative,
        };
}
