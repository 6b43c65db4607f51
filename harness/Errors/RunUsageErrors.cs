namespace LutNative.Harness.Errors;

/// <summary>A folder that was named as a run cannot be used as one. Nothing was started or touched.</summary>
internal static class RunUsageErrors
{
    internal static LutError Complete(string folder) =>
        new(
            Exit.Usage,
            10,
            "the run is already complete",
            folder,
            "a finished run never changes",
            "start a new one without --resume"
        );

    /// <param name="config">The file that every run's folder has.</param>
    /// <param name="entries">What is in the folder instead.</param>
    internal static LutError NoRunsFolder(string folder, string config, IReadOnlyCollection<string> entries) =>
        new(
            Exit.Usage,
            400,
            "this folder is no run's",
            folder,
            $"it has no {config}, but {entries.Count} other entries: {string.Join(", ", entries.Take(5))}{(entries.Count > 5 ? ", ..." : "")}",
            "name the folder of an interrupted run (`lut ls` lists them), or leave --resume away; nothing was touched"
        );

    internal static LutError PartIsALink(string link) =>
        new(
            Exit.Usage,
            401,
            "a part of the run is a link",
            link,
            "a run removes and replaces its own files, and never through a link",
            "put the file itself in its place; a whole run on another disk is --output's; nothing was touched"
        );

    internal static LutError NoRun(string folder, string config) =>
        new(
            Exit.Usage,
            403,
            $"{folder} is no run",
            Path.GetFullPath(folder),
            $"it has neither {config} nor tables",
            "name a run's folder; `lut ls` lists the runs"
        );

    /// <param name="options">How the file is named to `lut trace`: --weights FILE ...</param>
    internal static LutError WeightsFromOutside(string folder, string weights, string options) =>
        new(
            Exit.Usage,
            465,
            "the runs began with weights from outside",
            folder,
            $"they were given {weights}, and a run's folder does not hold a copy",
            $"name the same file: lut trace A B {options}"
        );
}
