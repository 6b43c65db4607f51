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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new LutError(
                Exit.Store,
                403,
                "the run's folder cannot be read",
                path,
                e.Message,
                "give it its permissions back, or bring the disk back, and resume; nothing was touched"
            );
        }
        if (canonical is null && others.Length == 0)
            return null;
        if (canonical is null)
            return new LutError(
                Exit.Usage,
                400,
                "this folder is no run's",
                path,
                FormattableString.Invariant(
                    $"it has no {ConfigDifference.FileName}, but {others.Length} other entries: {string.Join(", ", others.Take(5))}{(others.Length > 5 ? ", ..." : "")}"
                ),
                "name the folder of an interrupted run (`lut ls` lists them), or leave --resume away; nothing was touched"
            );
        if (canonical != mine.Protocol.CanonicalJson)
            return Other(path, Values(canonical, mine));
        if (new RunStore(path).IsComplete)
            return new LutError(
                Exit.Usage,
                10,
                "the run is already complete",
                path,
                "a finished run never changes",
                "start a new one without --resume"
            );
        return null;
    }

    internal static LutError Other(string path, string difference) =>
        new(Exit.Inconclusive, 400, "the folder belongs to another run", path, difference, Again);

    internal static LutError Unreadable(string path, Exception e) =>
        new(
            Exit.Store,
            402,
            "a checkpoint cannot be read",
            path,
            e.Message,
            "that is no damage: bring the disk or the permission back, and resume. To go on from an older checkpoint, move this one away; nothing was touched"
        );

    /// <summary>One of our names is a link: what it points to is somebody's.</summary>
    internal static LutError? Links(RunFolder folder)
    {
        var ours = folder.Store.PartFiles().Concat(folder.Checkpoints.Files().Select(f => f.Path));
        string? link = ours.FirstOrDefault(f => new FileInfo(f).LinkTarget is not null);
        if (link is null && new DirectoryInfo(folder.Checkpoints.Folder).LinkTarget is not null)
            link = folder.Checkpoints.Folder;
        return link is null
            ? null
            : new LutError(
                Exit.Usage,
                401,
                "a part of the run is a link",
                link,
                "a run removes and replaces its own files, and never through a link",
                "put the file itself in its place; a whole run on another disk is --output's; nothing was touched"
            );
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
                    return new LutError(
                        Exit.Store,
                        409,
                        "the tables are of more than one run",
                        Path.GetDirectoryName(part)!,
                        $"{name} has run_id {id}, parts before it have {runId}",
                        "keep the folder as it is, and start a new run without --resume; nothing was touched"
                    );
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
            : new LutError(
                Exit.Store,
                410,
                "a part of the tables is missing",
                PartName.Of(Schema.Events, missing),
                FormattableString.Invariant(
                    $"{Path.GetFileName(place.Path)} was made when parts 0 to {place.Part} were there"
                ),
                "restore it from a copy, or start a new run without --resume; nothing was touched"
            );
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
            : new LutError(
                Exit.Data,
                401,
                "the run's checkpoints are gone",
                Path.GetDirectoryName(parts[0])!,
                FormattableString.Invariant(
                    $"part {told} of the tables tells of one, parts up to {last} came after it, and the folder checkpoints holds none"
                ),
                "restore them from a copy and resume, or start a new run without --resume; nothing was touched"
            );
    }

    private static string Values(string canonical, RunIdentity mine)
    {
        try
        {
            return $"values there and here: {string.Join("; ", ConfigDifference.First(ConfigDifference.Of(canonical, mine.Protocol.CanonicalJson)))}";
        }
        catch (System.Text.Json.JsonException e)
        {
            return $"{ConfigDifference.FileName} is no JSON ({e.Message})";
        }
    }
}
