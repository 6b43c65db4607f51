using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>
/// A run's folder and the right to write in it. A folder is a run's only if its canonical configuration is the run's;
/// nothing in it is removed but parts of our tables, our checkpoints and our own temporary files, by their exact names,
/// and parts only after the checkpoint that is gone on from was read.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string Resolved = "config.resolved.toml";
    private readonly FolderLock owner;
    private readonly IReadOnlyList<string> made; // folders that were not there before, the innermost first

    private RunFolder(RunStore store, FolderLock owner, IReadOnlyList<StageId> stages, IReadOnlyList<string> made)
    {
        Store = store;
        this.owner = owner;
        this.made = made;
        Checkpoints = CheckpointStore.Of(store, stages);
    }

    public RunStore Store { get; }

    public CheckpointStore Checkpoints { get; }

    /// <summary>
    /// Takes a folder for a run, or says why not. A folder that this process makes and then cannot use is removed
    /// again.
    /// </summary>
    /// <param name="stages">Whose checkpoints are the run's, in the order in which it has them.</param>
    /// <param name="warn">Gets what people must know even when they asked for silence.</param>
    /// <exception cref="ResultsException">Another process owns the folder (its holder is named), the file system cannot
    /// lock, or a table cannot be read.</exception>
    /// <exception cref="LutError">The configuration cannot be written.</exception>
    public static FolderState Open(string path, RunIdentity mine, IReadOnlyList<StageId> stages, Action<string> warn)
    {
        // looking first: a folder of somebody else does not even get a LOCK
        if (FolderChecks.Stranger(path, mine) is { } stranger)
            return new FolderState.Refused(stranger);
        var made = Missing(path);
        var store = RunStore.Create(path);
        FolderLock? owner = null;
        RunFolder? folder = null;
        try
        {
            owner = FolderLock.Take(path);
            folder = new RunFolder(store, owner, stages, made);
            var state = folder.Decide(mine, warn);
            if (state is FolderState.Refused)
            {
                if (store.IsComplete)
                    owner.Remove();
                folder.Dispose();
            }
            return state;
        }
        catch
        {
            if (folder is not null)
                folder.Dispose();
            else
            {
                owner?.Dispose();
                RemoveUnused(made);
            }
            throw;
        }
    }

    /// <summary>Nothing is written into a folder that has another owner by now.</summary>
    /// <exception cref="ResultsException">Another process took it.</exception>
    public void Check() => owner.Check();

    /// <summary>
    /// Covers every file by the manifest, marks the folder complete, and gives up its ownership: nobody writes here
    /// again.
    /// </summary>
    public void Close()
    {
        try
        {
            Store.WriteManifest();
            owner.Remove();
        }
        catch (Exception x) when (Files.Failed(x))
        {
            throw RunStoreErrors.CannotClose(Store.Folder, x.Message);
        }
    }

    /// <summary>A start that recorded nothing leaves no folder behind.</summary>
    public void Dispose()
    {
        if (!Store.IsComplete)
            RemoveUnused(made);
        owner.Dispose();
    }

    private FolderState Decide(RunIdentity mine, Action<string> warn)
    {
        // the folder may have changed between the first look and the lock
        if (FolderChecks.Stranger(Store.Folder, mine) is { } stranger)
            return new FolderState.Refused(stranger);
        if (FolderChecks.Links(this) is { } link)
            return new FolderState.Refused(link);
        bool any = Checkpoints.Files().Any();
        return any ? FromCheckpoint(mine, warn) : FromNothing(mine, warn);
    }

    private FolderState FromNothing(RunIdentity mine, Action<string> warn)
    {
        var parts = Store.PartFiles();
        if (FolderChecks.Parts(parts, mine, out _) is { } other)
            return new FolderState.Refused(other);
        if (FolderChecks.Vanished(parts) is { } vanished)
            return new FolderState.Refused(vanished);
        if (parts.Count > 0)
            warn(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Store.Folder} has no checkpoint: it starts again from step 0, and {parts.Count} "
                        + $"files of its tables are made again"
                )
            );
        Clean(lastPart: -1);
        // its identity first: a folder with anything but this file is never taken for a run's
        Write(ConfigDifference.FileName, mine.Protocol.CanonicalJson);
        Write(Resolved, mine.Protocol.Toml);
        return new FolderState.New(this);
    }

    private FolderState FromCheckpoint(RunIdentity mine, Action<string> warn)
    {
        var reasons = new List<string>();
        foreach (var (path, _) in Checkpoints.Files())
        {
            CheckpointPlace place;
            IReadOnlyDictionary<string, string> metadata;
            try
            {
                (place, metadata) = Checkpoints.Examine(path);
            }
            catch (UnreadableCheckpointException e)
            {
                return new FolderState.Refused(FolderChecks.Unreadable(path, e));
            }
            catch (CheckpointException e)
            {
                Checkpoints.Distrust(path);
                reasons.Add(e.Message);
                continue;
            }
            return At(place, metadata, reasons, mine, warn);
        }
        return new FolderState.Refused(DataErrors.NoUsableCheckpoint(reasons, Checkpoints.Folder));
    }

    private FolderState At(
        CheckpointPlace place,
        IReadOnlyDictionary<string, string> metadata,
        List<string> damaged,
        RunIdentity mine,
        Action<string> warn
    )
    {
        string name = Path.GetFileName(place.Path);
        if (mine.Difference(metadata, name) is { } difference)
            return new FolderState.Refused(FolderChecks.Other(Store.Folder, difference));
        var events = Store
            .PartFiles()
            .Where(f => PartName.TryParse(f, out var t, out _) && t == Schema.Events)
            .ToList();
        if (FolderChecks.Parts(events, mine, out string? runId) is { } other)
            return new FolderState.Refused(other);
        if (FolderChecks.Gap(events, place) is { } gap)
            return new FolderState.Refused(gap);
        if (metadata.TryGetValue(RunIdentity.RunIdKey, out string? writer) && writer != runId)
            return new FolderState.Refused(
                FolderChecks.Other(Store.Folder, $"{name} belongs to run {writer}, the tables to run {runId}")
            );
        foreach (string reason in damaged)
            warn($"skipping a damaged checkpoint: {reason}");
        Clean(place.Part);
        if (!File.Exists(Path.Combine(Store.Folder, Resolved)))
            Write(Resolved, mine.Protocol.Toml);
        int resumes = Store.Rows(Schema.Events).Count(e => e.Key == "resume");
        return new FolderState.ResumeAt(this, place, runId!, resumes);
    }

    /// <summary>Removes the parts that are made again, and what a process that died was writing.</summary>
    private void Clean(int lastPart)
    {
        try
        {
            Store.DropPartsAfter(lastPart);
            foreach (string folder in new[] { Store.Folder, Checkpoints.Folder }.Where(Directory.Exists))
            foreach (string file in Directory.GetFiles(folder).Where(WholeFile.IsTemporary))
                File.Delete(file);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw RunStoreErrors.CannotRemove(Store.Folder, e.Message);
        }
    }

    private void Write(string name, string text)
    {
        try
        {
            WholeFile.WriteText(Path.Combine(Store.Folder, name), text);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw RunStoreErrors.CannotWritePart(name, Store.Folder, e.Message);
        }
    }

    /// <summary>The folder itself and those above it that are not there yet.</summary>
    private static List<string> Missing(string path)
    {
        var missing = new List<string>();
        for (
            string? folder = Path.GetFullPath(path);
            folder is not null && !Directory.Exists(folder);
            folder = Path.GetDirectoryName(folder)
        )
            missing.Add(folder);
        return missing;
    }

    /// <summary>
    /// Only a folder with nothing in it but what a start writes, and those above it that are then empty.
    /// </summary>
    private static void RemoveUnused(IReadOnlyList<string> made)
    {
        if (made.Count == 0)
            return;
        string[] ours = [ConfigDifference.FileName, Resolved, FolderLock.Name];
        try
        {
            string[] there = Directory.GetFileSystemEntries(made[0]);
            if (there.Any(f => !ours.Contains(Path.GetFileName(f)) && !WholeFile.IsTemporary(f)))
                return;
            foreach (string file in there)
                File.Delete(file);
            // a folder that somebody else uses by now is not empty, and stays
            foreach (string folder in made)
                Directory.Delete(folder);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            // an empty folder stays: the caller has a better error to tell
        }
    }
}
