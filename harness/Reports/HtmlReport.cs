using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>`lut report`: what runs are, what they found, how they agree; and the history of nights.</summary>
internal static class HtmlReport
{
    private const int MostPoints = 400;
    private const int MostDigests = 40;

    /// <param name="analysis">Rows of analysis tables, by run_id.</param>
    internal static string Runs(
        IReadOnlyList<RunStore> runs,
        IReadOnlyList<AnalysisRow>? analysis,
        IReadOnlyList<IReadOnlyList<Finding>> nights
    )
    {
        string[] names = Names(runs);
        var page = new HtmlPage("LutNative report", $"{runs.Count} run(s); made by lut {LutVersion.Text}");
        page.Section(
            "runs",
            "Runs",
            Html.Of(
                $"<div class=\"cards\">{Html.Concat(runs.Select((r, i) => Card(r, names[i])))}</div>\n{Accuracy(runs, names)}"
            )
        );
        page.Section("curves", "Curves", Curves(runs, names));
        if (runs.Any(r => File.Exists(Picture(r))))
            page.Section(
                "pictures",
                "Reconstructions",
                Html.Concat(runs.Select((r, i) => Reconstruction(r, names[i])))
            );
        if (analysis is { Count: > 0 })
            page.Section("analysis", "Analysis", Analyses(runs, names, analysis));
        page.Section("digests", "Digests", Digests(runs, names));
        if (runs.Count > 1)
            page.Section("comparison", "Comparison", Comparisons(runs, names));
        if (nights.Count > 0)
            Nights(page, nights);
        return page.Build();
    }

    internal static string History(IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        var last = nights[^1][0];
        var page = new HtmlPage(
            "LutNative nights",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{nights.Count} night(s); data until {last.AtUtc:yyyy-MM-dd HH:mm} UTC, commit {(last.Commit.Length > 0 ? last.Commit : "unknown")}; made by lut {LutVersion.Text}"
            )
        );
        Nights(page, nights);
        return page.Build();
    }

    private static string[] Names(IReadOnlyList<RunStore> runs) =>
        [.. runs.Select(r => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(r.Folder))))];

    private static string Picture(RunStore run) => Path.Combine(run.Folder, "reconstructions.png");

    private static Html Card(RunStore run, string name)
    {
        var row = run.Read(Schema.Run).First;
        var host = run.Read(Schema.Hosts).First;
        if (row is null)
            return Html.Of($"<article class=\"card\"><h3>{name}</h3>{HtmlPage.Chip("yellow", "unfinished")}</article>");
        var reference = Reference.Find(row.Protocol);
        var report = reference is null ? null : Reference.Compare(run, reference);
        Html chip = report?.Verdict switch
        {
            ExactVerdict.Identical => HtmlPage.Chip("green", "identical to the reference"),
            ExactVerdict.Diverged => HtmlPage.Chip("red", "differs from the reference", report.First),
            _ => HtmlPage.Chip("grey", "no reference for this seed or protocol"),
        };
        (string Name, string Value)[] facts =
        [
            ("protocol", row.Protocol),
            ("seed", Table.Show(row.Seed)),
            ("contract", row.Contract),
            ("math_hash", Short(row.MathHash)),
            ("data_hash", Short(row.DataHash)),
            ("device", row.Device),
            ("threads", Table.Show(row.Threads)),
            ("n_steps", Table.Show(row.NSteps)),
            ("images_seen", Table.Show(row.ImagesSeen)),
            ("self_check", Table.Show(row.SelfCheck)),
            ("started_utc", Table.Show(row.StartedUtc)),
            ("wall", string.Create(CultureInfo.InvariantCulture, $"{row.WallNs / 1e9:f1} s")),
            ("lut_version", row.LutVersion),
        ];
        var text = new HtmlBuilder().Add($"<article class=\"card\"><h3>{name}</h3><p>{chip}</p><dl>");
        foreach (var (fact, value) in facts)
            text.Add($"<dt>{fact}</dt><dd>{value}</dd>");
        if (host is not null)
            text.Add($"<dt>machine</dt><dd>{$"{host.CpuModel}, {host.CpuIsa}, {host.Cores} cores, {host.Os}"}</dd>");
        return text.Add($"</dl></article>").Build();
    }

    /// <summary>A hash's first digits.</summary>
    private static string Short(string hash) => hash.Length > 16 ? hash[..16] : hash;

    private static Html Accuracy(IReadOnlyList<RunStore> runs, string[] names)
    {
        var evals = runs.Select(r => r.Read(Schema.Evals).Rows).ToArray();
        string[] metrics = [.. evals.SelectMany(e => e.Select(r => r.Metric)).Distinct()];
        if (metrics.Length == 0)
            return default;
        return HtmlPage.Table(
            "Accuracy: percent, and images correct of how many",
            ["run", .. metrics.Select(m => (Html)m)],
            runs.Select(
                (_, i) =>
                    (IEnumerable<Html>)
                        [
                            names[i],
                            .. metrics.Select(m =>
                                evals[i].FirstOrDefault(e => e.Metric == m) is { } e
                                    ? Html.Of($"{e.Value:f2} <span class=\"note\">{e.Correct}/{e.N}</span>")
                                    : default
                            ),
                        ]
            )
        );
    }

    private static Html Curves(IReadOnlyList<RunStore> runs, string[] names)
    {
        var steps = runs.Select(r => r.Read(Schema.Steps).Rows).ToArray();
        var html = new HtmlBuilder().Add(
            $"<p class=\"note\">Long runs are drawn as means over equal numbers of steps.</p><div class=\"plots\">"
        );
        foreach (string stage in steps.SelectMany(t => t.Select(r => r.Stage)).Distinct())
        {
            html.Put(Figure(Chart.Line($"Loss, {stage}", "step", "loss", Lines(stage, r => r.Loss))));
            if (Lines(stage, r => r.LossContext) is { Count: > 0 } context)
                html.Put(Figure(Chart.Line($"Context loss (L_BC), {stage}", "step", "loss", context)));
            html.Put(Figure(Chart.Line($"Gradient norm, {stage}", "step", "norm", Lines(stage, r => r.GradNorm))));
        }
        return html.Add($"</div>").Build();

        List<Series> Lines(string stage, Func<StepRow, float?> of)
        {
            var all = new List<Series>();
            for (int i = 0; i < runs.Count; i++)
            {
                var rows = steps[i]
                    .Where(r => r.Stage == stage && of(r) is not null)
                    .Select(r => ((double)r.Step, (double)of(r)!.Value))
                    .ToList();
                if (rows.Count == 0)
                    continue;
                int each = (rows.Count + MostPoints - 1) / MostPoints;
                var drawn = rows.Chunk(each)
                    .Select(c => (X: c.Average(p => p.Item1), Y: c.Average(p => p.Item2)))
                    .ToList();
                all.Add(new Series(names[i], [.. drawn.Select(p => p.X)], [.. drawn.Select(p => p.Y)]));
            }
            return all;
        }
    }

    private static Html Figure(Html svg) => Html.Of($"<figure>{svg}</figure>\n");

    private static Html Reconstruction(RunStore run, string name) =>
        !File.Exists(Picture(run))
            ? default
            : Html.Of(
                $"<figure><img alt=\"Reconstructions of {name}: a column for each of the first test images; rows are the original, the visible patches, and the decoder's answer\" src=\"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(Picture(run)))}\"><figcaption>{name}: originals, what the encoder saw, what the decoder answered</figcaption></figure>\n"
            );

    private static Html Analyses(IReadOnlyList<RunStore> runs, string[] names, IReadOnlyList<AnalysisRow> analysis)
    {
        string[] ids = [.. runs.Select(r => r.Read(Schema.Events).First?.RunId.Text ?? "")];
        var found = new List<(string, Evaluation.AnalysisResult)>();
        foreach (var group in analysis.GroupBy(r => r.RunId.Text))
            found.Add(
                (Array.IndexOf(ids, group.Key) is var i and >= 0 ? names[i] : group.Key, AnalysisCharts.From(group))
            );
        return Html.Of(
            $"<p class=\"note\">Attention distance: how far a patch looks, weighted by its attention; bars reach from the nearest-sighted head to the farthest. Singular values: of the covariance of features; a slower fall means that more directions are used.</p><div class=\"plots\">{Html.Concat(AnalysisCharts.Figures(found).Select(Figure))}</div>"
        );
    }

    /// <summary>The state's digest at recorded steps: equal cells in a row mean equal bits.</summary>
    private static Html Digests(IReadOnlyList<RunStore> runs, string[] names)
    {
        var html = new HtmlBuilder().Add(
            $"<p class=\"note\">The digest of the whole state after a step, its first eight digits. A mark says whether a run has the first run's bits, where both are the same experiment.</p>"
        );
        bool[] comparable = [.. runs.Select((r, i) => i > 0 && Comparison.Obstacles(runs[0], r).Count == 0)];
        var all = runs.Select(r =>
                r.Rows(Schema.Steps)
                    .Where(s => s.StateDigest is not null)
                    .ToDictionary(s => (s.Stage, s.Step), s => $"{s.StateDigest}")
            )
            .ToArray();
        foreach (var group in all.SelectMany(a => a.Keys).Distinct().GroupBy(k => k.Item1))
        {
            var steps = group.Select(k => k.Item2).Order().ToList();
            int each = (steps.Count + MostDigests - 1) / MostDigests;
            var shown = steps.Where((s, i) => i % each == 0 || i == steps.Count - 1);
            html.Put(
                HtmlPage.Table(
                    $"{group.Key}: {steps.Count} recorded states{(each > 1 ? $", every {each}th shown" : "")}",
                    ["step", .. names.Select(n => (Html)n)],
                    shown.Select(s =>
                        (IEnumerable<Html>)
                            [
                                s.ToString(CultureInfo.InvariantCulture),
                                .. all.Select(
                                    (a, i) =>
                                        a.TryGetValue((group.Key, s), out string? d)
                                            ? State(d, comparable[i] ? all[0].GetValueOrDefault((group.Key, s)) : null)
                                            : default
                                ),
                            ]
                    )
                )
            );
        }
        return html.Build();
    }

    /// <param name="first">The first run's digest where the two must agree.</param>
    private static Html State(string digest, string? first)
    {
        var bits = Html.Of($"<span class=\"bits\">{(digest.Length > 8 ? digest[..8] : digest)}</span>");
        return first is null
            ? bits
            : Html.Of(
                $"{bits} {HtmlPage.Chip(digest == first ? "green" : "red", digest == first ? "equal" : "other")}"
            );
    }

    private static Html Comparisons(IReadOnlyList<RunStore> runs, string[] names)
    {
        var html = new HtmlBuilder();
        for (int i = 1; i < runs.Count; i++)
        {
            var report = Comparison.Exact(runs[0], runs[i]);
            string colour = report.Verdict switch
            {
                ExactVerdict.Identical => "green",
                ExactVerdict.Incomparable => "grey",
                ExactVerdict.IdenticalPrefix => "yellow",
                _ => "red",
            };
            html.Add(
                $"<h3>{names[0]} and {names[i]}</h3><p>{HtmlPage.Chip(colour, report.Verdict.ToString().ToUpperInvariant())} {report.First ?? ""}</p>"
            );
            if (report.Ladder.Count > 0)
                html.Put(
                    HtmlPage.Table(
                        "The ladder from cause to effect",
                        ["rung", "values compared", "differ", "first"],
                        report.Ladder.Select(r =>
                            (IEnumerable<Html>)
                                [
                                    r.Name,
                                    r.Compared.ToString(CultureInfo.InvariantCulture),
                                    r.Differ.ToString(CultureInfo.InvariantCulture),
                                    r.First ?? "",
                                ]
                        )
                    )
                );
            else
                html.Put(Html.Concat(report.Details.Select(d => Html.Of($"<p class=\"note\">{d}</p>"))));
            if (report.Verdict != ExactVerdict.Diverged)
                continue;
            var growth = Divergence.Growth(runs[0], runs[i]);
            if (growth.Count > 0)
                html.Put(
                    Figure(
                        Chart.Line(
                            "How the losses drift apart",
                            "step",
                            "relative difference",
                            [
                                .. growth
                                    .GroupBy(g => g.Stage)
                                    .Select(g => new Series(
                                        g.Key,
                                        [.. g.Select(r => (double)r.Step)],
                                        [.. g.Select(r => r.Relative)],
                                        Points: true
                                    )),
                            ],
                            logY: true
                        )
                    )
                );
            if (Divergence.Flips(runs[0], runs[i]) is { Count: > 0 } flips)
                html.Put(
                    HtmlPage.Table(
                        "Turned predictions",
                        [
                            "metric",
                            "images",
                            "other answer",
                            "only the first right",
                            "only the second right",
                            "McNemar p",
                        ],
                        flips.Select(f =>
                            (IEnumerable<Html>)
                                [
                                    f.Metric,
                                    .. new double[] { f.Images, f.Differ, f.OnlyA, f.OnlyB }.Select(v =>
                                        (Html)v.ToString(CultureInfo.InvariantCulture)
                                    ),
                                    f.PValue.ToString("f3", CultureInfo.InvariantCulture),
                                ]
                        )
                    )
                );
            html.Put(
                HtmlPage.Details(
                    "What is different about the machines",
                    Html.Concat(Divergence.Environment(runs[0], runs[i]).Select(l => Html.Of($"<p>{l}</p>")))
                )
            );
        }
        return html.Build();
    }

    private static void Nights(HtmlPage page, IReadOnlyList<IReadOnlyList<Finding>> nights)
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
                .. shown
                    .AsEnumerable()
                    .Reverse()
                    .Select(n => (Html)n[0].AtUtc.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture)),
            ],
            keys.Select(k =>
            {
                int failing = Recording.History.Streak(nights, k.Kind, k.Key, Recording.Colour.Red);
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
            var measured = points.Where(f => f.B is not null && f.Colour != Recording.Colour.Grey).ToList();
            series.Add($"<article id=\"{Id(k)}\"><h3>{k.Kind} {k.Key} <span class=\"note\">{k.Hardware}</span></h3>");
            if (measured.Count > 0 && k.Kind != "exact")
                series.Put(Figure(Plot(k.Kind, k.Key, measured)));
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
                                            f.AtUtc.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                                            Html.Of(
                                                $"<code>{(f.Commit.Length > 10 ? f.Commit[..10] : f.Commit)}</code>"
                                            ),
                                            HtmlPage.Chip(Colour(f), f.Verdict),
                                            f.B?.ToString("g6", CultureInfo.InvariantCulture) ?? "",
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
                    ? f[(int)Math.Round(i)].AtUtc.ToString("MM-dd", CultureInfo.InvariantCulture)
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
