using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>Finding runs in an output folder.</summary>
internal static class RunFolders
{
    /// <summary>
    /// Every run in a folder, the oldest first. Folders that cannot be read are named: none is skipped in silence.
    /// </summary>
    internal static IReadOnlyList<string> All(string root)
    {
        if (!Directory.Exists(root))
            return [];
        string[] folders;
        try
        {
            folders = Directory.GetDirectories(root);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw RunStoreErrors.UnreadableRuns(root, e.Message);
        }
        return [.. folders.Where(IsRun).OrderBy(Directory.GetCreationTimeUtc).ThenBy(d => d, StringComparer.Ordinal)];
    }

    internal static string NewestUnfinished(string root, ResolvedProtocol protocol, bool warmStart) =>
        All(root).LastOrDefault(d => !new RunStore(d).IsComplete && IsOf(d, protocol) && Fits(d, protocol, warmStart))
        ?? throw NothingSelectedErrors.NoInterruptedRun(protocol.Name, root);

    /// <summary>The newest run that answers the same request, complete or not; null when there is none.</summary>
    internal static RunStore? Newest(RunRequest request)
    {
        string? newest = All(request.Output)
            .LastOrDefault(d =>
                IsOf(d, request.Protocol)
                && (
                    new RunStore(d).IsComplete
                        ? Answers(new RunStore(d), request)
                        : Fits(d, request.Protocol, request.Checkpoint is not null)
                )
            );
        return newest is null ? null : new RunStore(newest);
    }

    /// <summary>A run by folder, or by a unique part of its name in ./runs.</summary>
    internal static RunStore Find(string nameOrFolder)
    {
        if (Directory.Exists(nameOrFolder))
        {
            var run = new RunStore(nameOrFolder);
            if (!IsRun(nameOrFolder) && run.PartFiles().Count == 0)
                throw RunUsageErrors.NoRun(nameOrFolder, ConfigDifference.FileName);
            return run;
        }
        var hits = All("runs")
            .Where(d => Path.GetFileName(d).Contains(nameOrFolder, StringComparison.Ordinal))
            .ToArray();
        return hits.Length == 1 ? new RunStore(hits[0]) : throw NothingSelectedErrors.NotOneRun(nameOrFolder, hits);
    }

    private static bool IsRun(string folder)
    {
        try
        {
            return Directory
                .GetFiles(folder)
                .Any(f => Path.GetFileName(f) is ConfigDifference.FileName or "config.resolved.toml");
        }
        catch (Exception e) when (Files.Failed(e))
        {
            Skipped(folder, e.Message);
            return false;
        }
    }

    /// <summary>A run that was killed in its first moments may lack the file: nothing of it was computed yet.</summary>
    private static bool IsOf(string folder, ResolvedProtocol protocol)
    {
        string canonical = Path.Combine(folder, ConfigDifference.FileName);
        try
        {
            return File.Exists(canonical) && File.ReadAllText(canonical) == protocol.CanonicalJson;
        }
        catch (Exception e) when (Files.Failed(e))
        {
            Skipped(folder, e.Message);
            return false;
        }
    }

    /// <summary>
    /// The same level of math, planted fault or none, and weights from outside or none: what the configuration does not
    /// tell.
    /// </summary>
    private static bool Fits(string folder, ResolvedProtocol protocol, bool warmStart)
    {
        try
        {
            string? first = new RunStore(folder)
                .PartFiles()
                .FirstOrDefault(f => PartName.TryParse(f, out var t, out _) && t == Schema.Events);
            if (first is null)
                return true;
            var metadata = TableFile.ReadWithMetadata(first).Metadata;
            return metadata.GetValueOrDefault(RunIdentity.MathKey) == protocol.MathHash
                && metadata.GetValueOrDefault(RunIdentity.ProtocolKey) == protocol.Name
                && (!metadata.ContainsKey(RunIdentity.WeightsKey) || warmStart);
        }
        catch (ResultsException e)
        {
            Skipped(folder, e.Message);
            return false;
        }
    }

    private static bool Answers(RunStore run, RunRequest request)
    {
        try
        {
            return run.Read(Schema.Run).First is { } row
                && row.MathHash == request.Protocol.MathHash
                && row.Protocol == request.Protocol.Name
                && row.Stages == string.Join(",", request.Planned)
                && request.Checkpoint is null;
        }
        catch (ResultsException e)
        {
            Skipped(run.Folder, e.Message);
            return false;
        }
    }

    private static void Skipped(string folder, string why) =>
        Progress.Warn($"skipping {folder}, which cannot be read: {why}");
}
