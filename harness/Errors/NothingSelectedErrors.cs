namespace LutNative.Harness.Errors;

/// <summary>There is no such run, row, baseline or night; nothing was done.</summary>
internal static class NothingSelectedErrors
{
    internal static LutError NoInterruptedRun(string protocol, string folder) =>
        new(
            Exit.NothingSelected,
            1,
            $"there is no interrupted run of {protocol}",
            Path.GetFullPath(folder),
            "--resume auto looks for a run of the same protocol and seed without COMPLETE",
            "start it without --resume"
        );

    internal static LutError NotOneRun(string name, IReadOnlyCollection<string> hits) =>
        new(
            Exit.NothingSelected,
            2,
            $"{name} names {hits.Count} runs",
            "the run argument",
            "a run is named by its folder, or by a part of its name that only one run in ./runs has",
            hits.Count == 0 ? "`lut ls` lists the runs" : "candidates: " + string.Join(", ", hits)
        );

    internal static LutError NoBlockOfNetwork(string folder) =>
        new(
            Exit.NothingSelected,
            5,
            "the benchmark has no block of this network",
            folder,
            "rows are found by stage and by FLOPs of an image",
            "run lut bench with this protocol, or vitb16, and -o " + folder
        );

    internal static LutError NoThroughputTable(string folder) =>
        new(
            Exit.NothingSelected,
            6,
            $"{folder} has no throughput table",
            Path.GetFullPath(folder),
            "it is what `lut bench SHAPE -o FOLDER` writes",
            "name folders of benchmarks"
        );

    internal static LutError SameBits(string good, string bad, string digest) =>
        new(
            Exit.NothingSelected,
            7,
            "both commits give the same bits",
            $"{good} and {bad}",
            digest,
            "there is nothing to find"
        );

    internal static LutError NoBaseline(string name, string path, IReadOnlyCollection<string> known) =>
        new(
            Exit.NothingSelected,
            8,
            $"there is no baseline {name}",
            path,
            known.Count == 0 ? "the file has none" : "it has " + string.Join(", ", known),
            known.Count == 0 ? "accept a night first" : $"did you mean {Nearest.To(name, known)}?"
        );

    /// <param name="asked">Rows that were named; none for all.</param>
    internal static LutError NoRowOfNight(string night, IReadOnlyCollection<string> asked) =>
        new(
            Exit.NothingSelected,
            9,
            "the night measured no such row",
            night,
            asked.Count > 0 ? "asked for " + string.Join(", ", asked) : "it has no perf row with a value",
            "name a night of a suite with [perf.NAME]"
        );

    internal static LutError NothingToReport() =>
        new(
            Exit.NothingSelected,
            10,
            "there is nothing to report",
            "the arguments",
            "no run was named, and no night was found",
            "name runs, or --nights FOLDER with nights in it"
        );

    internal static LutError NoMetric(string protocol, string metric, string row, IEnumerable<string> measured) =>
        new(
            Exit.NothingSelected,
            11,
            $"{protocol} has no {metric}",
            $"[smoke.{row}]",
            "the run measured " + string.Join(", ", measured),
            "name one of them"
        );
}
