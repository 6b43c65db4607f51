using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Nightly;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>The history of nights: a matrix of verdicts, and a plot and a table for every row.</summary>
internal static class NightSections
{
    internal static void Add(HtmlPage page, IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        var keys = nights
            .SelectMany(n => n.Select(f => (f.Kind, f.Key, f.Hardware)))
            .Distinct()
            .OrderBy(k =>
                k.Kind == "exact" ? 0
                : k.Kind == "smoke" ? 1
                : 2
            )
            .ThenBy(k => k.Key, StringComparer.Ordinal)
            .ToList();
        var shown = nights.TakeLast(30).ToList();
        Finding? Of(IReadOnlyList<Finding> night, (string Kind, string Key, string Hardware) k) =>
            night.FirstOrDefault(f => (f.Kind, f.Key, f.Hardware) == k);
        string Colour(Finding f) => f.Colour.ToString().ToLowerInvariant();
        var matrix = HtmlPage.Table(
            $"The last {shown.Count} night(s), newest first",
            [
                "row",
                "hardware",
                "failing",
                .. shown.AsEnumerable().Reverse().Select(n => (Html)n[0].AtUtc.Text("MM-dd HH:mm")),
            ],
            keys.Select(k =>
            {
                int failing = Nightly.History.Streak(nights, k.Kind, k.Key, Nightly.Colour.Red);
                return (IEnumerable<Html>)
                    [
                        Html.Of($"<a href=\"#{Id(k)}\">{k.Kind} {k.Key}</a>"),
                        k.Hardware,
                        failing > 0 ? $"{failing} night{(failing == 1 ? "" : "s")}" : "",
                        .. shown
                            .AsEnumerable()
                            .Reverse()
                            .Select(n => Of(n, k) is { } f ? HtmlPage.Chip(Colour(f), f.Verdict, f.Reason) : default),
                    ];
            })
        );
        page.Section("nights", "Nights", matrix + Download(nights));
        var series = new HtmlBuilder();
        foreach (var k in keys)
        {
            var points = nights.Select(n => Of(n, k)).OfType<Finding>().ToList();
            var measured = points.Where(f => f.B is not null && f.Colour != Nightly.Colour.Grey).ToList();
            series.Add($"<article id=\"{Id(k)}\"><h3>{k.Kind} {k.Key} <span class=\"note\">{k.Hardware}</span></h3>");
            if (measured.Count > 0 && k.Kind != "exact")
                series.Put(HtmlPage.Figure(Plot(k.Kind, k.Key, measured)));
            series
                .Put(
                    HtmlPage.Details(
                        $"Table of {points.Count} night(s)",
                        HtmlPage.Table(
                            $"{k.Kind} {k.Key}",
                            ["night", "commit", "verdict", "value", "ratio", "what"],
                            points
                                .AsEnumerable()
                                .Reverse()
                                .Take(60)
                                .Select(f =>
                                    (IEnumerable<Html>)
                                        [
                                            f.AtUtc.Text("yyyy-MM-dd HH:mm"),
                                            Html.Of(
                                                $"<code>{(f.Commit.Length > 10 ? f.Commit[..10] : f.Commit)}</code>"
                                            ),
                                            HtmlPage.Chip(Colour(f), f.Verdict),
                                            f.B?.Text("g6") ?? "",
                                            f.Ratio is > 0
                                                ? string.Create(
                                                    CultureInfo.InvariantCulture,
                                                    $"{f.Ratio:f3} [{f.Low:f3}, {f.High:f3}]"
                                                )
                                                : "",
                                            f.Reason,
                                        ]
                                )
                        )
                    )
                )
                .Add($"</article>\n");
        }
        page.Section("series", "History", series.Build());
    }

    /// <summary>
    /// Where a row's history stands in the page: made, since names from files must not choose places; the same in every
    /// page, so that an address keeps it.
    /// </summary>
    internal static string Id((string Kind, string Key, string Hardware) k) =>
        "series-"
        + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{k.Kind}\0{k.Key}\0{k.Hardware}")))[..12];

    /// <summary>
    /// Points with their intervals, the band around the baseline of the day, and where the level changed between which
    /// commits.
    /// </summary>
    private static Html Plot(string kind, string key, List<Finding> f)
    {
        double[] x = [.. Enumerable.Range(0, f.Count).Select(i => (double)i)];
        double[] y = [.. f.Select(p => p.B!.Value)];
        var tonight = new Series(
            "tonight",
            x,
            y,
            kind == "perf" ? [.. f.Select(p => p.A * p.Low ?? double.NaN)] : null,
            kind == "perf" ? [.. f.Select(p => p.A * p.High ?? double.NaN)] : null,
            [
                .. f.Select(p =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{p.AtUtc:yyyy-MM-dd HH:mm}, {p.Verdict}, {p.B:g5}, commit {(p.Commit.Length > 10 ? p.Commit[..10] : p.Commit)}"
                    )
                ),
            ],
            Points: true
        );
        var marks = new List<Mark>();
        if (f.LastOrDefault(p => p is { A: > 0, Band: > 0 }) is { } last && kind == "perf")
            marks.Add(
                new Mark(
                    last.A!.Value * (1 - last.Band!.Value),
                    string.Create(CultureInfo.InvariantCulture, $"baseline {last.A:g5}, band {100 * last.Band:f1} %"),
                    Until: last.A.Value * (1 + last.Band.Value)
                )
            );
        if (kind == "smoke" && f[^1].A is { } least)
            marks.Add(new Mark(least, string.Create(CultureInfo.InvariantCulture, $"least {least:g4}")));
        foreach (
            int i in kind == "perf"
                ? ChangePoints.Find(y, f.Select(p => p.Band).OfType<double>().DefaultIfEmpty(0.03).Last())
                : []
        )
            marks.Add(new Mark(i - 0.5, $"level changed between {f[i - 1].Commit} and {f[i].Commit}", Vertical: true));
        var lines = new List<Series> { tonight };
        if (kind == "perf" && f.Any(p => p.A is not null))
            lines.Add(new Series("baseline", x, [.. f.Select(p => p.A ?? double.NaN)]));
        return Chart.Line(
            $"{kind} {key}",
            "night",
            kind == "perf" ? "images/s" : "percent",
            lines,
            marks: marks,
            xText: i =>
                i >= 0 && i < f.Count && Math.Abs(i - Math.Round(i)) < 1e-9
                    ? f[(int)Math.Round(i)].AtUtc.Text("MM-dd")
                    : ""
        );
    }

    /// <summary>Every finding as CSV, inside of the page.</summary>
    private static Html Download(IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        var csv = new StringBuilder("at_utc,kind,key,hw_key,verdict,commit,value_a,value_b,ratio,low,high,p,band\n");
        foreach (var f in nights.SelectMany(n => n))
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{f.AtUtc:O},{Csv.Text(f.Kind)},{Csv.Text(f.Key)},{Csv.Text(f.Hardware)},{Csv.Text(f.Verdict)},{Csv.Text(f.Commit)},{f.A:R},{f.B:R},{f.Ratio:R},{f.Low:R},{f.High:R},{f.P:R},{f.Band:R}\n"
            );
        return Html.Of(
            $"<p><a download=\"nights.csv\" href=\"data:text/csv;base64,{Convert.ToBase64String(Encoding.UTF8.GetBytes(csv.ToString()))}\">All findings as CSV</a></p>"
        );
    }
}
