using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>verify --claim: do these runs reproduce a published number?</summary>
internal static class ClaimReportCommand
{
    internal static Exit Execute(string id, IReadOnlyList<string> folders, bool json)
    {
        var claim = Claim.Load(id);
        var rows = new List<(string Run, string Protocol, long Seed, long Correct, long N)>();
        foreach (string folder in folders)
        {
            var store = RunFolders.Find(folder);
            var run = store.Read(Schema.Run).First ?? throw VerifyCommand.Unfinished(store);
            var evals = store.Read(Schema.Evals);
            if (store.Damage() is { Count: > 0 } damage)
                throw new LutError(
                    Exit.Store,
                    13,
                    "the run is damaged",
                    store.Folder,
                    damage[0],
                    "a claim needs runs as they were written"
                );
            (long, long)? eval = null;
            foreach (var e in evals.Rows)
                if (e.Metric == claim.Metric)
                    eval = (e.Correct, e.N);
            if (claim.Refusal(run, eval) is { } why)
                throw new LutError(
                    Exit.Inconclusive,
                    10,
                    "a run does not count for this claim",
                    store.Folder,
                    why,
                    "give unmodified runs of the claim's protocol, whole and evaluated once on every image"
                );
            rows.Add((store.Folder, run.Protocol, run.Seed, eval!.Value.Item1, eval.Value.Item2));
        }
        if (rows.GroupBy(r => (r.Protocol, r.Seed)).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new LutError(
                Exit.Inconclusive,
                11,
                FormattableString.Invariant($"seed {twice.Key.Seed} of {twice.Key.Protocol} is given twice"),
                string.Join(", ", twice.Select(t => t.Run)),
                "the same protocol and seed are the same bits, so a second run adds nothing",
                "give runs of different seeds"
            );
        if (rows.Select(r => r.Protocol).Distinct().Count() > 1)
            throw new LutError(
                Exit.Inconclusive,
                12,
                "the runs are of several protocols",
                string.Join(", ", rows.Select(r => r.Protocol).Distinct()),
                "their spread would be mixed with the difference between them",
                "verify each protocol's runs apart"
            );
        var report = ClaimCheck.Run(
            [.. rows.Select(r => 100.0 * r.Correct / r.N)],
            claim.Target,
            Math.Max(1, claim.ReportedRuns.Length),
            claim.ReportedRuns.Length > 0 ? 0.01 : claim.Precision,
            claim.Margin
        );
        var exit = report.Verdict switch
        {
            ClaimVerdict.Reproduced => Exit.Ok,
            ClaimVerdict.Consistent or ClaimVerdict.Underpowered => Exit.Inconclusive,
            _ => Exit.Negative,
        };
        string verdict =
            $"VERDICT claim={claim.Id} {report.Verdict switch { ClaimVerdict.NotReproduced => "NOT REPRODUCED", var v => v.ToString().ToUpperInvariant() }} exit={(int)exit}";
        if (json)
        {
            Output.Json(
                new
                {
                    claim = claim.Id,
                    source = claim.Source,
                    reported = claim.Reported,
                    reported_runs = claim.ReportedRuns,
                    runs = rows.Select(r => new
                    {
                        run = r.Run,
                        seed = r.Seed,
                        correct = r.Correct,
                        n = r.N,
                    }),
                    mean = report.Mean,
                    sd = report.Sd,
                    interval = report.Interval is { } i ? new[] { i.Low, i.High } : null,
                    prediction = report.Prediction is { } q ? new[] { q.Low, q.High } : null,
                    notes = claim.Notes,
                    verdict,
                    exit = (int)exit,
                }
            );
            return exit;
        }
        static string F(double x) => x.ToString("f3", CultureInfo.InvariantCulture);
        Output.Line($"{claim.Title} ({claim.Source})");
        Output.Table(
            ["run", "seed", "correct", "percent"],
            rows.Select(r =>
                new[]
                {
                    r.Run,
                    r.Seed.ToString(CultureInfo.InvariantCulture),
                    $"{r.Correct}/{r.N}",
                    F(100.0 * r.Correct / r.N),
                }
            )
        );
        Output.Table(
            ["what", "value"],
            [
                [
                    "reported",
                    claim.ReportedRuns.Length > 0
                        ? $"{claim.Reported.ToString("R", CultureInfo.InvariantCulture)}; its {claim.ReportedRuns.Length} runs have the mean {F(claim.Target)}"
                        : $"{claim.Reported.ToString("R", CultureInfo.InvariantCulture)}, give or take {(claim.Precision / 2).ToString("R", CultureInfo.InvariantCulture)} of printing; {claim.Selection} epoch in the source, last epoch here",
                ],
                [
                    "ours",
                    $"mean {F(report.Mean)}, {rows.Count} run(s){(report.Sd is { } sd ? ", standard deviation " + F(sd) : "")}",
                ],
                [
                    "95 % interval of our mean",
                    report.Interval is { } ci ? $"{F(ci.Low)} to {F(ci.High)}" : "needs three runs",
                ],
                [
                    "95 % prediction interval",
                    report.Prediction is { } pi ? $"{F(pi.Low)} to {F(pi.High)}" : "needs three runs",
                ],
                [
                    "equivalence",
                    report.EquivalenceLow is { } low
                        ? $"difference {F(low)} to {F(report.EquivalenceHigh!.Value)} (90 %), margin {claim.Margin.ToString("R", CultureInfo.InvariantCulture)}"
                        : "needs three runs",
                ],
            ]
        );
        foreach (string note in claim.Notes)
            Output.Line("note: " + note);
        Output.Line(verdict);
        return exit;
    }
}
