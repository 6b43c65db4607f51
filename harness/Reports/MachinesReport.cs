using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>One benchmark on one machine. Numbers are null where the machine does not tell them.</summary>
/// <param name="Ratio">Beside the first machine, with its 95 % interval; null for that one itself.</param>
/// <param name="Mfu">Share of the peak that matrix products reach.</param>
/// <param name="PeakSource">Where that peak comes from.</param>
/// <param name="P99OverP50">Of the steps' times: the tail.</param>
/// <param name="Bits">Whether the work was the same: same, OTHER WORK, not recorded.</param>
internal sealed record MachineLine(
    string Benchmark,
    string Folder,
    string Machine,
    string Device,
    double? ImagesPerSecond,
    double? Ratio,
    double? Low,
    double? High,
    double? Mfu,
    string? PeakSource,
    double? JoulesPerImage,
    double? P99OverP50,
    string Bits
)
{
    internal bool IsReference { get; init; }
}

/// <summary>Machines beside each other, the first as the reference.</summary>
/// <param name="Reference">The first machine's folder.</param>
internal sealed record MachinesReport(string Reference, IReadOnlyList<MachineLine> Rows, Exit Exit) : IVerbResult
{
    /// <summary>Every peak that a share was taken of.</summary>
    internal required IReadOnlyList<string> PeakSources { get; init; }

    /// <param name="comparisons">Of every other folder with the first.</param>
    internal static MachinesReport Of(
        IReadOnlyList<(string Folder, IReadOnlyList<ThroughputRow> Rows)> all,
        IReadOnlyList<IReadOnlyList<PerformanceRow>> comparisons
    )
    {
        var reference = all[0].Rows;
        var lines = new List<MachineLine>();
        for (int f = 0; f < all.Count; f++)
        {
            var (folder, table) = all[f];
            foreach (var group in table.GroupBy(Performance.KeyOf))
            {
                var compared =
                    f == 0
                        ? null
                        : comparisons[f - 1]
                            .FirstOrDefault(r => r.Key == group.Key && r.Verdict != PerformanceVerdict.Incomparable);
                lines.Add(Line(folder, group.Key, [.. group], compared, reference) with { IsReference = f == 0 });
            }
        }
        return new MachinesReport(all[0].Folder, lines, Exit.Ok)
        {
            PeakSources = [.. all.SelectMany(t => t.Rows.Select(r => r.PeakSource)).Distinct().OfType<string>()],
        };
    }

    private static MachineLine Line(
        string folder,
        string key,
        IReadOnlyList<ThroughputRow> rows,
        PerformanceRow? compared,
        IReadOnlyList<ThroughputRow> reference
    )
    {
        var first = rows[0];
        string? theirs = reference.FirstOrDefault(r => Performance.KeyOf(r) == key)?.CheckDigest;
        double? mfu = Median(r =>
            (r.PeakFlops ?? r.FmaFlops) is var peak and > 0 ? r.ImagesPerSecond * r.FlopsPerImage / peak : null
        );
        return new MachineLine(
            key,
            folder,
            first.Machine,
            first.Device,
            Median(r => r.ImagesPerSecond),
            compared?.Ratio,
            compared?.Low,
            compared?.High,
            mfu,
            first.PeakSource,
            Median(r => r.JoulesPerImage),
            Median(r => r.StepNsP99) / Median(r => r.StepNsP50),
            Bits(first.CheckDigest, theirs)
        );

        double? Median(Func<ThroughputRow, double?> of) =>
            rows.Select(of).OfType<double>().ToArray() is { Length: > 0 } v ? Performance.Median(v) : null;
    }

    private static string Bits(string? check, string? theirs)
    {
        if (check is null || theirs is null)
            return "not recorded";
        return check == theirs ? "same" : "OTHER WORK";
    }
}
