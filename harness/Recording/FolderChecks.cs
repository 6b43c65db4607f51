using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>What keeps a run from a folder. They look and never touch.</summary>
internal static class FolderChecks
{
    private const string Again =
        "resume with the protocol, seed, --set, --checkpoint and --data of the interrupted run, "
        + "or start a new one without --resume; nothing was touched";

    /// <summary>
    /// The folder is not this run's, or it is finished; null for the run's own, and for one that is empty or not there.
    /// </summary>
    internal static LutError? Stranger(string path, RunIdentity mine)
    {
        if (!Directory.Exists(path))
            return null;
        string? canonical;
        string[] others;
        try
        {
            string file = Path.Combine(path, ConfigDifference.FileName);
            canonical = File.Exists(file) ? File.ReadAllText(file) : null;
            var names = Directory
                .GetFileSystemEntries(path)
                .Where(f => !WholeFile.IsTemporary(f))
                .Select(f => Path.GetFileName(f));
            others = [.. names.Where(n => n != FolderLock.Name).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (Files.Failed(e))
        {
            return RunStoreErrors.UnreadableFolder(path, e.Message);
        }
        if (canonical is null && others.Length == 0)
            return null;
        if (canonical is null)
            return RunUsageErrors.NoRunsFolder(path, ConfigDifference.FileName, others);
        if (canonical != mine.Protocol.CanonicalJson)
            return Other(path, Values(canonical, mine));
        if (new RunStore(path).IsComplete)
            return RunUsageErrors.Complete(path);
        return null;
    }

    internal static LutError Other(string path, string difference) =>
        InconclusiveErrors.OtherRunsFolder(path, difference, Again);

    internal static LutError Unreadable(string path, Exception e) =>
        RunStoreErrors.UnreadableCheckpoint(path, e.Message);

    /// <summary>One of our names is a link: what it points to is somebody's.</summary>
    internal static LutError? Links(RunFolder folder)
    {
        var ours = folder.Store.PartFiles().Concat(folder.Checkpoints.Files().Select(f => f.Path));
        string? link = ours.FirstOrDefault(f => new FileInfo(f).LinkTarget is not null);
        if (link is null && new DirectoryInfo(folder.Checkpoints.Folder).LinkTarget is not null)
            link = folder.Checkpoints.Folder;
        return link is null ? null : RunUsageErrors.PartIsALink(link);
    }

    /// <summary>Tables of another run, or of more than one.</summary>
    internal static LutError? Parts(IReadOnlyList<string> parts, RunIdentity mine, out string? runId)
    {
        runId = null;
        foreach (string part in parts)
        {
            var (table, metadata) = TableFile.ReadWithMetadata(part);
            string name = Path.GetFileName(part);
            if (mine.Difference(metadata, name) is { } difference)
                return Other(Path.GetDirectoryName(part)!, difference);
            foreach (string id in table.Records.Select(r => r.RunId.Text).Distinct())
            {
                runId ??= id;
                if (id != runId)
                    return RunStoreErrors.TablesOfTwoRuns(Path.GetDirectoryName(part)!, name, id, runId);
            }
        }
        return null;
    }

    /// <summary>
    /// Every commit has events: the parts that a checkpoint knows are there without a gap, or something was lost.
    /// </summary>
    internal static LutError? Gap(IEnumerable<string> events, CheckpointPlace place)
    {
        var there = events.Select(f => PartName.TryParse(f, out _, out int part) ? part : -1).ToHashSet();
        int missing = Enumerable.Range(0, place.Part + 1).FirstOrDefault(n => !there.Contains(n), -1);
        return missing < 0
            ? null
            : RunStoreErrors.MissingPart(PartName.Of(Schema.Events, missing), Path.GetFileName(place.Path), place.Part);
    }

    /// <summary>
    /// Checkpoints were here and are gone: a checkpoint has its name before the next part is committed, so one that an
    /// earlier part tells of was there.
    /// </summary>
    internal static LutError? Vanished(IReadOnlyList<string> parts)
    {
        int last = -1;
        int told = -1;
        foreach (string path in parts)
        {
            if (!PartName.TryParse(path, out var table, out int part))
                continue;
            last = Math.Max(last, part);
            if (
                table == Schema.Events
                && TableFile.Read(path).Records.OfType<EventRow>().Any(e => e.Key == "checkpoint")
            )
                told = told < 0 ? part : Math.Min(told, part);
        }
        return told < 0 || told == last
            ? null
            : DataErrors.CheckpointsGone(Path.GetDirectoryName(parts[0])!, told, last);
    }

    private static string Values(string canonical, RunIdentity mine)
    {
        try
        {
            return "values there and here: "
                + $"{string.Join("; ", ConfigDifference.First(ConfigDifference.Of(canonical, mine.Protocol.CanonicalJson)))}";
        }
        catch (System.Text.Json.JsonException e)
        {
            return $"{ConfigDifference.FileName} is no JSON ({e.Message})";
        }
    }
}
