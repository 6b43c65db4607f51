using LutNative.Harness.Errors;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>A row that a night's speeds replaced.</summary>
/// <param name="Before">Medians of the launches that were accepted before, images/s; null for a new row.</param>
internal sealed record AcceptedRow(string Row, IReadOnlyList<double>? Before, IReadOnlyList<double> Now, double Band);

/// <param name="File">The baselines' file.</param>
internal sealed record AcceptResult(string File, IReadOnlyList<AcceptedRow> Accepted, Exit Exit) : IVerbResult
{
    internal static void Text(AcceptResult found)
    {
        Output.Table(
            ["row", "before", "now", "band"],
            found.Accepted.Select(a =>
                new[]
                {
                    a.Row,
                    a.Before is null ? "none" : BaselineCommand.Median(a.Before),
                    BaselineCommand.Median(a.Now),
                    a.Band.Text("0.0###"),
                }
            )
        );
        Output.Line($"written to {found.File}: commit it");
    }
}

/// <summary>baseline accept: a night's speeds become what nights are held against.</summary>
internal static class BaselineAcceptance
{
    /// <param name="only">Rows to accept; all of them when there is none.</param>
    /// <param name="force">Accept also what a machine measured that was not fit to be timed.</param>
    internal static AcceptResult Accept(string night, string reason, string[] only, bool force, Baselines all)
    {
        var findings = Finding
            .Of(new RunStore(night).Read(Schema.Comparisons))
            .Where(f => f.Kind == "perf" && f.B is not null && (only.Length == 0 || only.Contains(f.Key)))
            .ToList();
        if (findings.Count == 0)
            throw NothingSelectedErrors.NoRowOfNight(night, only);
        var accepted = new List<AcceptedRow>();
        foreach (var f in findings)
        {
            var now = BaselineOf(f, night, reason, force);
            accepted.Add(new AcceptedRow(f.Key, all.Rows.GetValueOrDefault(f.Key)?.Pinned, now.Pinned, now.Band));
            all.Set(now);
        }
        all.Write();
        return new AcceptResult(all.Path, accepted, Exit.Ok);
    }

    private static Baseline BaselineOf(Finding f, string night, string reason, bool force)
    {
        if (!Suite.IsName(f.Key))
            throw DataErrors.NoRowsName(f.Key, night, Suite.NameRule);
        var table = new RunStore(Night.ThroughputOf(night, f.Key)).Read(Schema.Throughput).Rows;
        if (table.Count == 0)
            throw DataErrors.NoThroughput(f.Key, Night.ThroughputOf(night, f.Key));
        string[] unfit = [.. Performance.Unfit(table)];
        if (unfit.Length > 0 && !force)
            throw UnfitErrors.UnfitNight(f.Key, night, unfit);
        string why = unfit.Length == 0 ? reason : $"{reason} (forced: {string.Join("; ", unfit)})";
        double[] launches =
        [
            .. table
                .GroupBy(r => (r.RunId, r.Launch))
                .Select(g => Performance.Median([.. g.Select(r => r.ImagesPerSecond)])),
        ];
        return new Baseline(
            f.Key,
            launches,
            [],
            Performance.BandOf(table),
            table[0].CheckDigest ?? "",
            DateTime.UtcNow.Text("yyyy-MM-dd"),
            Environment.UserName,
            f.Commit,
            why
        );
    }
}
