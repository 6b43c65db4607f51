namespace LutNative.Harness.Errors;

/// <summary>A file that is not a run's, or standard output, cannot be written or read.</summary>
internal static class StoreErrors
{
    internal static LutError CannotConvert(string to, string why) =>
        new(
            Exit.Store,
            11,
            $"cannot write {to}",
            Path.GetFullPath(to),
            why,
            "free some space or choose another place; nothing half-written is left under that name"
        );

    internal static LutError CannotWriteStep(string path, string why) =>
        new(
            Exit.Store,
            12,
            "cannot write the step",
            Path.GetFullPath(path),
            why,
            "free some space or choose another place"
        );

    internal static LutError CannotWriteTables(string folder, string why) =>
        new(
            Exit.Store,
            14,
            "cannot write the tables",
            Path.GetFullPath(folder),
            why,
            "free some space or choose another --output"
        );

    internal static LutError CannotWritePlot(string path, string why) =>
        new(Exit.Store, 15, "cannot write the plot", Path.GetFullPath(path), why, "choose another --plot");

    internal static LutError CannotWriteBaselines(string path, string why) =>
        new(Exit.Store, 16, "cannot write the baselines", path, why, "choose another --baseline, or free some space");

    internal static LutError CannotWriteNight(string night, string why) =>
        new(
            Exit.Store,
            17,
            "cannot write the night's reports",
            night,
            why,
            "free some space; its Parquet tables are intact"
        );

    internal static LutError CannotWritePlots(string folder, string why) =>
        new(Exit.Store, 18, "cannot write the plots", Path.GetFullPath(folder), why, "choose another --output");

    internal static LutError CannotWriteReport(string path, string why) =>
        new(Exit.Store, 19, "cannot write the report", Path.GetFullPath(path), why, "choose another --output");

    internal static LutError CannotWriteIndex(string path, string why) =>
        new(
            Exit.Store,
            447,
            "the index cannot be written",
            Shown.Name(Path.GetFullPath(path)),
            Shown.Name(why),
            "give --index another file or folder"
        );

    internal static LutError CannotWriteScores(string path, string why) =>
        new(Exit.Store, 452, "the scores cannot be written", Path.GetFullPath(path), why, "give --logits another file");

    /// <param name="why">Of the stream.</param>
    /// <param name="code">What the verb would have ended with.</param>
    internal static LutError CannotWriteOutput(string why, int code) =>
        new(
            Exit.Store,
            460,
            "standard output cannot be written",
            "standard output",
            $"{why}; the verb itself ended with exit code {code}, and what it stores is whole",
            "free some space, or send the output elsewhere"
        );

    /// <summary>A file that no other error tells of.</summary>
    /// <param name="file">The one that the system's message names.</param>
    internal static LutError SomeFile(string file, string why) =>
        new(
            Exit.Store,
            461,
            "a file cannot be read or written",
            file,
            why,
            "check the path, its permissions and the free space; what is under a final name is whole"
        );

    internal static LutError BaselinesChanged(string path) =>
        new(
            Exit.Store,
            483,
            "the baselines have changed since they were read",
            path,
            "another process, or a person, wrote them meanwhile: what stands there was not overwritten",
            "look at the file, and do the same again"
        );

    internal static LutError CannotMakeNight(string folder, string why) =>
        new(
            Exit.Store,
            485,
            "cannot make the night's folder",
            Path.GetFullPath(folder),
            why,
            "choose another --output, or free some space"
        );
}
