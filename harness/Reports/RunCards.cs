using System.Globalization;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>What runs are and what they found: a card each, and a table of accuracies.</summary>
internal static class RunCards
{
    internal static Html Card(RunStore run, string name)
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

    internal static Html Accuracy(IReadOnlyList<RunStore> runs, string[] names)
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
}
