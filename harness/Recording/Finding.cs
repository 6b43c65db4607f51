using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>How a row of a night counts.</summary>
internal enum Colour
{
    Green,

    /// <summary>Something to read that fails nothing: no baseline yet, an undecided speed, a cleared alert.</summary>
    Yellow,

    /// <summary>The machine was not fit to say: never a regression, and an alert after three nights.</summary>
    Grey,

    Red,
}

/// <summary>What a night found about one row of its suite, or a former night's record of it.</summary>
/// <param name="Kind">exact, smoke, perf.</param>
/// <param name="Verdict">IDENTICAL, DIVERGED, IN-BAND, OUTSIDE, SAME, SLOWER, CLEARED, ...</param>
internal sealed record Finding(
    DateTime AtUtc,
    string Kind,
    string Key,
    string Hardware,
    string Verdict,
    string Commit,
    string Reason,
    double? A = null,
    double? B = null,
    double? Ratio = null,
    double? Low = null,
    double? High = null,
    double? P = null,
    double? Band = null
)
{
    internal Colour Colour =>
        Verdict switch
        {
            "IDENTICAL" or "IN-BAND" or "SAME" or "FASTER" => Colour.Green,
            "DIVERGED" or "MISSING" or "OUTSIDE" or "SLOWER" or "FAILED" or "OTHER-WORK" or "DISAPPEARED" => Colour.Red,
            "UNFIT" => Colour.Grey,
            _ => Colour.Yellow,
        };

    /// <summary>With the numbers of a comparison of speeds.</summary>
    internal Finding With(PerformanceRow r) =>
        this with
        {
            A = r.MedianA,
            B = r.MedianB,
            Ratio = r.Ratio,
            Low = r.Low,
            High = r.High,
            P = r.P,
            Band = r.Band,
        };

    /// <param name="id">Of the comparison: all its rows share it.</param>
    /// <param name="a">What the older or reference side is.</param>
    internal ComparisonRow ToRow(RunId id, string a, string b) =>
        new()
        {
            RunId = id,
            AtUtc = AtUtc,
            Kind = Kind,
            Key = Key,
            A = a,
            B = b,
            HwKey = Hardware,
            Verdict = Verdict,
            ValueA = A,
            ValueB = B,
            Ratio = Ratio,
            Low = Low,
            High = High,
            P = P,
            Band = Band,
            Reason = System.Text.Encoding.UTF8.GetBytes(Reason),
            GitSha = Commit,
            MethodVersion = Performance.MethodVersion,
        };

    internal static IEnumerable<Finding> Of(Table<ComparisonRow> comparisons) =>
        comparisons.Rows.Select(r => new Finding(
            r.AtUtc,
            r.Kind,
            r.Key,
            r.HwKey,
            r.Verdict,
            r.GitSha,
            System.Text.Encoding.UTF8.GetString(r.Reason),
            r.ValueA,
            r.ValueB,
            r.Ratio,
            r.Low,
            r.High,
            r.P,
            r.Band
        ));
}

/// <summary>The nights of a folder, oldest first.</summary>
internal static class History
{
    internal static IReadOnlyList<IReadOnlyList<Finding>> Load(string folder) =>
        !Directory.Exists(folder)
            ? []
            :
            [
                .. Directory
                    .GetDirectories(folder)
                    .Where(d => !Path.GetFileName(d).StartsWith('.'))
                    .Order(StringComparer.Ordinal)
                    .Select(d => (IReadOnlyList<Finding>)[.. Finding.Of(new RunStore(d).Read(Schema.Comparisons))])
                    .Where(n => n.Count > 0),
            ];

    /// <summary>Nights in a row, the last one included, that a key has had a colour.</summary>
    internal static int Streak(IReadOnlyList<IReadOnlyList<Finding>> nights, string kind, string key, Colour colour) =>
        nights
            .Reverse()
            .Select(n => n.FirstOrDefault(f => f.Kind == kind && f.Key == key))
            .TakeWhile(f => f?.Colour == colour)
            .Count();
}
