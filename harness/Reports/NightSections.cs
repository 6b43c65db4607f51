using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using Row = (string Kind, string Key, string Hardware);

namespace LutNative.Harness.Reports;

/// <summary>The history of nights: a matrix of verdicts, and a plot and a table for every row.</summary>
internal static class NightSections
{
    private const int NightsOfTheMatrix = 30;
    private const int NightsOfATable = 60;
    private const int ShortCommit = 10;

    internal static void Add(HtmlPage page, IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        Row[] rows =
        [
            .. nights
                .SelectMany(n => n.Select(f => (f.Kind, f.Key, f.Hardware)))
                .Distinct()
                .OrderBy(k => RankOf(k.Kind))
                .ThenBy(k => k.Key, StringComparer.Ordinal),
        ];
        page.Section("nights", "Nights", Matrix(nights, rows) + Download(nights));
        page.Section("series", "History", Html.Concat(rows.Select(row => Article(nights, row))));
    }

    internal static string Short(string commit) => commit.Length > ShortCommit ? commit[..ShortCommit] : commit;

    /// <summary>
    /// Where a row's history stands in the page: made, since names from files must not choose places; the same in every
    /// page, so that an address keeps it.
    /// </summary>
    internal static string Id((string Kind, string Key, string Hardware) k) =>
        "series-"
        + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{k.Kind}\0{k.Key}\0{k.Hardware}")))[..12];

    private static int RankOf(string kind) =>
        kind switch
        {
            "exact" => 0,
            "smoke" => 1,
            _ => 2,
        };

    private static Finding? Of(IReadOnlyList<Finding> night, Row row) =>
        night.FirstOrDefault(f => (f.Kind, f.Key, f.Hardware) == row);

    private static Html Chip(Finding f, string? hint = null) =>
        HtmlPage.Chip(f.Colour.ToString().ToLowerInvariant(), f.Verdict, hint);

    private static Html Matrix(IReadOnlyList<IReadOnlyList<Finding>> nights, Row[] rows)
    {
        IReadOnlyList<Finding>[] shown = [.. nights.TakeLast(NightsOfTheMatrix).Reverse()];
        return HtmlPage.Table(
            $"The last {shown.Length} night(s), newest first",
            ["row", "hardware", "failing", .. shown.Select(n => (Html)n[0].AtUtc.Text("MM-dd HH:mm"))],
            rows.Select(row =>
                (IEnumerable<Html>)
                    [
                        Html.Of($"<a href=\"#{Id(row)}\">{row.Kind} {row.Key}</a>"),
                        row.Hardware,
                        Failing(Recording.History.Streak(nights, row.Kind, row.Key, Colour.Red)),
                        .. shown.Select(n => Of(n, row) is { } f ? Chip(f, f.Reason) : default),
                    ]
            )
        );
    }

    private static string Failing(int nights) =>
        nights switch
        {
            0 => "",
            1 => "1 night",
            _ => $"{nights} nights",
        };

    private static Html Article(IReadOnlyList<IReadOnlyList<Finding>> nights, Row row)
    {
        Finding[] points = [.. nights.Select(n => Of(n, row)).OfType<Finding>()];
        List<Finding> measured = [.. points.Where(f => f.B is not null && f.Colour != Colour.Grey)];
        var article = new HtmlBuilder().Add(
            $"<article id=\"{Id(row)}\"><h3>{row.Kind} {row.Key} <span class=\"note\">{row.Hardware}</span></h3>"
        );
        if (measured.Count > 0 && row.Kind != "exact")
            article.Put(HtmlPage.Figure(NightPlot.Of(row.Kind, row.Key, measured)));
        var table = HtmlPage.Table(
            $"{row.Kind} {row.Key}",
            ["night", "commit", "verdict", "value", "ratio", "what"],
            points.Reverse().Take(NightsOfATable).Select(Cells)
        );
        return article.Put(HtmlPage.Details($"Table of {points.Length} night(s)", table)).Add($"</article>\n").Build();
    }

    private static IEnumerable<Html> Cells(Finding f) =>
        [
            f.AtUtc.Text("yyyy-MM-dd HH:mm"),
            Html.Of($"<code>{Short(f.Commit)}</code>"),
            Chip(f),
            f.B.Text("g6"),
            f.Ratio is > 0 ? $"{f.Ratio.Text("f3")} [{f.Low.Text("f3")}, {f.High.Text("f3")}]" : "",
            f.Reason,
        ];

    /// <summary>Every finding as CSV, inside of the page.</summary>
    private static Html Download(IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        var csv = new StringBuilder("at_utc,kind,key,hw_key,verdict,commit,value_a,value_b,ratio,low,high,p,band\n");
        foreach (var f in nights.SelectMany(n => n))
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{f.AtUtc:O},{Csv.Text(f.Kind)},{Csv.Text(f.Key)},{Csv.Text(f.Hardware)},{Csv.Text(f.Verdict)},"
                    + $"{Csv.Text(f.Commit)},{f.A:R},{f.B:R},{f.Ratio:R},{f.Low:R},{f.High:R},{f.P:R},{f.Band:R}\n"
            );
        return Html.Of(
            $"<p><a download=\"nights.csv\" href=\"data:text/csv;base64,{Convert.ToBase64String(Encoding.UTF8.GetBytes(csv.ToString()))}\">All "
                + $"findings as CSV</a></p>"
        );
    }
}
