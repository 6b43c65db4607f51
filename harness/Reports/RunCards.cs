using System.Globalization;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>What runs are and what they found: a card each, and a table of accuracies.</summary>
internal static class RunCards
{
    internal static Html Card(RunStore run, string name)
    {
        Table row = run.Read(Schema.Run);
        Table host = run.Read(Schema.Hosts);
        if (row.Rows.Count == 0)
            return Html.Of($"<article class=\"card\"><h3>{name}</h3>{HtmlPage.Chip("yellow", "unfinished")}</article>");
        var reference = Reference.Find(row.Get<string>(0, "protocol"));
        var report = reference is null ? null : Reference.Compare(run, reference);
        Html chip = report?.Verdict switch
        {
            ExactVerdict.Identical => HtmlPage.Chip("green", "identical to the reference"),
            ExactVerdict.Diverged => HtmlPage.Chip("red", "differs from the reference", report.First),
            _ => HtmlPage.Chip("grey", "no reference for this seed or protocol"),
        };
        string[] facts =
        [
            "protocol",
            "seed",
            "contract",
            "math_hash",
            "data_hash",
            "device",
            "threads",
            "n_steps",
            "images_seen",
            "self_check",
            "started_utc",
            "wall_ns",
            "lut_version",
        ];
        var text = new HtmlBuilder().Add($"<article class=\"card\"><h3>{name}</h3><p>{chip}</p><dl>");
        foreach (string f in facts)
        {
            object? v = row.Rows[0][Schema.Run.IndexOf(f)];
            string shown =
                f == "wall_ns" ? string.Create(CultureInfo.InvariantCulture, $"{(long)v! / 1e9:f1} s") : Table.Show(v);
            text.Add(
                $"<dt>{(f == "wall_ns" ? "wall" : f)}</dt><dd>{(f.EndsWith("_hash", StringComparison.Ordinal) && shown.Length > 16 ? shown[..16] : shown)}</dd>"
            );
        }
        if (host.Rows.Count > 0)
            text.Add(
                $"<dt>machine</dt><dd>{$"{host.Get<string>(0, "cpu_model")}, {host.Get<string>(0, "cpu_isa")}, {host.Get<int>(0, "cores")} cores, {host.Get<string>(0, "os")}"}</dd>"
            );
        return text.Add($"</dl></article>").Build();
    }

    internal static Html Accuracy(IReadOnlyList<RunStore> runs, string[] names)
    {
        var evals = runs.Select(r => r.Read(Schema.Evals)).ToArray();
        string[] metrics =
        [
            .. evals.SelectMany(e => e.Rows.Select(r => (string)r[Schema.Evals.IndexOf("metric")]!)).Distinct(),
        ];
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
                            {
                                int at = Enumerable
                                    .Range(0, evals[i].Rows.Count)
                                    .FirstOrDefault(k => evals[i].Get<string>(k, "metric") == m, -1);
                                return at < 0
                                    ? default
                                    : Html.Of(
                                        $"{evals[i].Get<double>(at, "value"):f2} <span class=\"note\">{evals[i].Get<long>(at, "correct")}/{evals[i].Get<long>(at, "n")}</span>"
                                    );
                            }),
                        ]
            )
        );
    }
}
