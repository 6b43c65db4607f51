using LutNative.Results;

namespace LutNative.Harness.Errors;

/// <summary>A run's folder or a table cannot be written, read or trusted, or another process owns it.</summary>
internal static class RunStoreErrors
{
    internal static LutError CannotWriteCheckpoint(long step, string path, string why) =>
        new(
            Exit.Store,
            1,
            $"cannot write the checkpoint of step {step}",
            path,
            why,
            "free some space or choose another --output; earlier checkpoints and results are intact, resume with --resume"
        );

    internal static LutError CannotClose(string folder, string why) =>
        new(Exit.Store, 2, "cannot close the run", folder, why, "free some space and resume; every table is intact");

    internal static LutError CannotWritePart(string name, string folder, string why) =>
        new(Exit.Store, 3, $"cannot write {name}", folder, why, "free some space or choose another --output");

    internal static LutError Unfinished(string folder) =>
        new(
            Exit.Store,
            10,
            "the run did not finish",
            folder,
            "it has no run table, which is written last",
            "resume it with `lut run PROTOCOL --resume FOLDER`"
        );

    internal static LutError DamagedRun(string folder, string damage) =>
        new(Exit.Store, 13, "the run is damaged", folder, damage, "a claim needs runs as they were written");

    /// <summary>A table's file cannot be opened or read; no word about what is in it.</summary>
    internal static LutError Unreadable(ResultsException x) => new(Exit.Store, 100, x.What, x.Where, x.Why, x.Fix);

    /// <summary>A table was written by a newer lut.</summary>
    internal static LutError NewerSchema(ResultsException x) => new(Exit.Store, 101, x.What, x.Where, x.Why, x.Fix);

    /// <summary>A table cannot be written.</summary>
    internal static LutError CannotWrite(ResultsException x) => new(Exit.Store, 102, x.What, x.Where, x.Why, x.Fix);

    /// <summary>A table or a reference is not what was written.</summary>
    internal static LutError Damaged(ResultsException x) => new(Exit.Store, 103, x.What, x.Where, x.Why, x.Fix);

    /// <summary>A table is not there.</summary>
    internal static LutError Missing(ResultsException x) => new(Exit.Store, 104, x.What, x.Where, x.Why, x.Fix);

    /// <summary>Another process owns the folder: it is named.</summary>
    internal static LutError Held(ResultsException x) => new(Exit.Store, 400, x.What, x.Where, x.Why, x.Fix);

    /// <summary>The file system cannot lock.</summary>
    internal static LutError CannotLock(ResultsException x) => new(Exit.Store, 401, x.What, x.Where, x.Why, x.Fix);

    internal static LutError UnreadableCheckpoint(string path, string why) =>
        new(
            Exit.Store,
            402,
            "a checkpoint cannot be read",
            path,
            why,
            "that is no damage: bring the disk or the permission back, and resume. To go on from an older checkpoint, move this one away; nothing was touched"
        );

    internal static LutError UnreadableFolder(string folder, string why) =>
        new(
            Exit.Store,
            403,
            "the run's folder cannot be read",
            folder,
            why,
            "give it its permissions back, or bring the disk back, and resume; nothing was touched"
        );

    internal static LutError CannotRemove(string folder, string why) =>
        new(
            Exit.Store,
            404,
            "cannot remove what is made again",
            folder,
            why,
            "give the folder its permissions back, and resume"
        );

    internal static LutError CannotWriteReconstructions(string picture, string why) =>
        new(
            Exit.Store,
            405,
            "cannot write the picture of reconstructions",
            picture,
            why,
            "free some space and resume; checkpoints and tables are intact"
        );

    internal static LutError UnreadableRuns(string folder, string why) =>
        new(
            Exit.Store,
            406,
            "the folder of runs cannot be read",
            Path.GetFullPath(folder),
            why,
            "give it its permissions back, or choose another --output"
        );

    /// <param name="complete">The mark of a finished run that is there.</param>
    internal static LutError NoRunTable(string folder, string complete) =>
        new(
            Exit.Store,
            407,
            "the run has no run table",
            folder,
            $"it has {complete}, and the table that is written last is gone",
            "restore it from a copy"
        );

    internal static LutError TablesOfTwoRuns(string folder, string part, string id, string before) =>
        new(
            Exit.Store,
            409,
            "the tables are of more than one run",
            folder,
            $"{part} has run_id {id}, parts before it have {before}",
            "keep the folder as it is, and start a new run without --resume; nothing was touched"
        );

    /// <param name="missing">The part's file.</param>
    /// <param name="last">The last part that was there when the checkpoint was made.</param>
    internal static LutError MissingPart(string missing, string checkpoint, int last) =>
        new(
            Exit.Store,
            410,
            "a part of the tables is missing",
            missing,
            $"{checkpoint} was made when parts 0 to {last} were there",
            "restore it from a copy, or start a new run without --resume; nothing was touched"
        );
}
