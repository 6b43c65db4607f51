using LutNative.Harness.Protocol;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>Finding runs in an output folder.</summary>
internal static class RunFolders
{
    internal static IEnumerable<string> All(string root) =>
        Directory.Exists(root) ? Directory.GetDirectories(root).Where(d => File.Exists(Path.Combine(d, "config.resolved.toml"))).OrderBy(Directory.GetCreationTimeUtc).ThenBy(d => d, StringComparer.Ordinal) : [];

    internal static string NewestUnfinished(string root, ResolvedProtocol protocol) =>
        // a run that was killed in its first moments may lack the file: nothing of it was computed yet
        All(root).LastOrDefault(d => !new RunStore(d).IsComplete && Path.Combine(d, "config.canonical.json") is var canonical && File.Exists(canonical) && File.ReadAllText(canonical) == protocol.CanonicalJson)
        ?? throw new LutError(Exit.NothingSelected, 1, $"there is no interrupted run of {protocol.Name}", Path.GetFullPath(root), "--resume auto looks for a run of the same protocol and seed without COMPLETE", "start it without --resume");

    /// <summary>A run by folder, or by a unique part of its name in ./runs.</summary>
    internal static RunStore Find(string nameOrFolder)
    {
        if (Directory.Exists(nameOrFolder)) return new RunStore(nameOrFolder);
        var hits = All("runs").Where(d => Path.GetFileName(d).Contains(nameOrFolder, StringComparison.Ordinal)).ToArray();
        return hits.Length == 1 ? new RunStore(hits[0])
            : throw new LutError(Exit.NothingSelected, 2, $"{nameOrFolder} names {hits.Length} runs", "the run argument", "a run is named by its folder, or by a part of its name that only one run in ./runs has", hits.Length == 0 ? "`lut ls` lists the runs" : "candidates: " + string.Join(", ", hits));
    }
}
