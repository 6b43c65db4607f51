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
    internal void AddTo(Table comparisons, string id, string a, string b) =>
        comparisons.Add(
            id,
            AtUtc,
            Kind,
            Key,
            a,
            b,
            Hardware,
            Verdict,
            A,
            B,
            Ratio,
            Low,
            High,
            P,
            Band,
            System.Text.Encoding.UTF8.GetBytes(Reason),
            Commit,
            Performance.MethodVersion
        );

    internal static IEnumerable<Finding> Of(Table comparisons)
    {
        for (int i = 0; i < comparisons.Rows.Count; i++)
        {
            double? D(string c) => (double?)comparisons.Rows[i][comparisons.Schema.IndexOf(c)];
            string T(string c) => comparisons.Get<string>(i, c);
            yield return new Finding(
                comparisons.Get<DateTime>(i, "at_utc"),
                T("kind"),
                T("key"),
                T("hw_key"),
                T("verdict"),
                T("git_sha"),
                System.Text.Encoding.UTF8.GetString(comparisons.Get<byte[]>(i, "reason")),
                D("value_a"),
                D("value_b"),
                D("ratio"),
                D("low"),
                D("high"),
                D("p"),
                D("band")
            );
        }
    }
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
