using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>verify --claim: do these runs reproduce a published number?</summary>
internal static class ClaimVerification
{
    /// <summary>Sources print their single runs in percent with two decimals.</summary>
    private const double PrecisionOfRuns = 0.01;

    internal static ClaimResult Of(string id, IReadOnlyList<string> folders)
    {
        var claim = Claim.Load(id);
        var rows = new List<ClaimRun>();
        foreach (string folder in folders)
        {
            var store = RunFolders.Find(folder);
            var run = store.Read(Schema.Run).First ?? throw VerifyCommand.Unfinished(store);
            var evals = store.Read(Schema.Evals);
            if (store.Damage() is { Count: > 0 } damage)
                throw RunStoreErrors.DamagedRun(store.Folder, damage[0]);
            (long, long)? eval = null;
            foreach (var e in evals.Rows)
                if (e.Metric == claim.Metric)
                    eval = (e.Correct, e.N);
            if (claim.Refusal(run, eval) is { } why)
                throw InconclusiveErrors.RunDoesNotCount(store.Folder, why);
            rows.Add(
                new ClaimRun(store.Folder, run.Seed, eval!.Value.Item1, eval.Value.Item2) { Protocol = run.Protocol }
            );
        }
        if (rows.GroupBy(r => (r.Protocol, r.Seed)).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw InconclusiveErrors.SeedTwice(twice.Key.Seed, twice.Key.Protocol, twice.Select(t => t.Run));
        if (rows.Select(r => r.Protocol).Distinct().Count() > 1)
            throw InconclusiveErrors.SeveralProtocols(rows.Select(r => r.Protocol).Distinct());
        var report = ClaimCheck.Run(
            [.. rows.Select(r => r.Percent)],
            claim.Target,
            Math.Max(1, claim.ReportedRuns.Length),
            claim.ReportedRuns.Length > 0 ? PrecisionOfRuns : claim.Precision,
            claim.Margin
        );
        var exit = report.Verdict switch
        {
            ClaimVerdict.Reproduced => Exit.Ok,
            ClaimVerdict.Consistent or ClaimVerdict.Underpowered => Exit.Inconclusive,
            _ => Exit.Negative,
        };
        string word = report.Verdict switch
        {
            ClaimVerdict.NotReproduced => "NOT REPRODUCED",
            var other => other.ToString().ToUpperInvariant(),
        };
        return new ClaimResult(
            claim.Id,
            claim.Source,
            claim.Reported,
            claim.ReportedRuns,
            rows,
            report.Mean,
            report.Sd,
            report.Interval is { } mean ? [mean.Low, mean.High] : null,
            report.Prediction is { } next ? [next.Low, next.High] : null,
            claim.Notes,
            $"VERDICT claim={claim.Id} {word} exit={(int)exit}",
            exit
        )
        {
            About = claim,
            EquivalenceLow = report.EquivalenceLow,
            EquivalenceHigh = report.EquivalenceHigh,
        };
    }
}
