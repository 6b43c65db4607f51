using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>`compare --perf`: folders of benchmarks, each beside the first.</summary>
internal static class SpeedComparison
{
    /// <param name="band">Ratio that counts as noise.</param>
    /// <param name="output">A folder for what was found, or null.</param>
    internal static int Print(string[] folders, double band, string? output, bool json)
    {
        (string Folder, IReadOnlyList<ThroughputRow> Rows)[] all =
        [
            .. folders.Select(f => (f, new RunStore(f).Read(Schema.Throughput).Rows)),
        ];
        foreach (var (folder, rows) in all)
            if (rows.Count == 0)
                throw NothingSelectedErrors.NoThroughputTable(folder);
        IReadOnlyList<PerformanceRow>[] compared =
        [
            .. all.Skip(1).Select(f => Performance.Compare(all[0].Rows, f.Rows, _ => band)),
        ];
        if (output is not null)
            ComparisonRecord.Write(output, Findings(folders, compared));
        return all.Length > 2
            ? Output.Print(MachinesReport.Of(all, compared), json, PerformanceText.Write)
            : Output.Print(PerformanceReport.Of(compared[0]), json, PerformanceText.Write);
    }

    private static IEnumerable<(Finding Found, string A, string B)> Findings(
        string[] folders,
        IReadOnlyList<PerformanceRow>[] compared
    )
    {
        for (int f = 1; f < folders.Length; f++)
            foreach (var r in compared[f - 1])
            {
                var found = ComparisonRecord.Found("perf", r.Key, r.Verdict.ToString(), string.Join("; ", r.Why));
                yield return (found.With(r), folders[0], folders[f]);
            }
    }
}
