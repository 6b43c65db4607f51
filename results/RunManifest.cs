namespace LutNative.Results;

/// <summary>
/// MANIFEST.sha256 of a folder: every file in it, a line each (SHA-256, two spaces, the name with slashes), and nothing
/// else. Names are looked at before anything is opened: nothing outside of the folder is, and no link is followed.
/// </summary>
internal static class RunManifest
{
    private const int HashCharacters = 64;
    private const long MostBytes = 64 << 20;

    /// <summary>The lines for a folder as it is.</summary>
    internal static string Of(string folder)
    {
        var lines = new List<string>();
        foreach (var (name, file) in Files(folder))
        {
            if (file.LinkTarget is not null)
                throw new IOException($"{name} is a link: a finished folder holds its own files alone");
            if (Fault(name) is { } fault)
                throw new IOException($"the name {Printable(name)} {fault}");
            lines.Add($"{RunStore.Sha256(file.FullName)}  {name}");
        }
        return string.Join("\n", lines) + "\n";
    }

    /// <summary>
    /// Everything in which folder and manifest differ, in the order of the manifest, then of the folder's names.
    /// </summary>
    internal static IEnumerable<string> Differences(string folder)
    {
        string path = Path.Combine(folder, RunStore.ManifestName);
        if (new FileInfo(path) is var info && !info.Exists)
            return [$"{RunStore.ManifestName} is missing: the run did not finish, or the file was removed"];
        if (info.LinkTarget is not null)
            return [$"{RunStore.ManifestName} is a link"];
        if (info.Length > MostBytes)
            return [$"{RunStore.ManifestName} has {info.Length} bytes, more than {MostBytes}"];
        string[] lines;
        using (var reader = new StreamReader(PlainFile.OpenRead(path)))
            lines = reader.ReadToEnd().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var problems = new List<string>();
        if (lines.Length == 0)
            problems.Add($"{RunStore.ManifestName} is empty");
        var present = new Dictionary<string, FileInfo>(StringComparer.Ordinal);
        foreach (var (name, file) in Files(folder))
            present.Add(name, file);
        var listed = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < lines.Length; i++)
        {
            string[] part = lines[i].Split("  ", 2);
            if (part.Length != 2 || part[0].Length != HashCharacters || !part[0].All(char.IsAsciiHexDigitLower))
                problems.Add($"{RunStore.ManifestName} has a malformed line {i + 1}: {Printable(lines[i])}");
            else if (Fault(part[1]) is { } fault)
                problems.Add($"{RunStore.ManifestName} line {i + 1}: the name {Printable(part[1])} {fault}");
            else if (!listed.Add(part[1]))
                problems.Add($"{RunStore.ManifestName} names {part[1]} twice");
            else if (!present.TryGetValue(part[1], out var file))
                problems.Add($"{part[1]} is missing");
            else if (file.LinkTarget is not null)
                problems.Add($"{part[1]} is a link: the file itself is not in the folder");
            else if (Changed(part[1], file, part[0]) is { } changed)
                problems.Add(changed);
        }
        foreach (var (name, file) in present)
        {
            if (listed.Contains(name))
                continue;
            // manifests of schema 1.2 and before left out those of the folders inside
            if (
                Path.GetFileName(name) is RunStore.ManifestName or RunStore.CompleteName
                && name.Contains('/', StringComparison.Ordinal)
                && file.LinkTarget is null
            )
                continue;
            problems.Add(
                file.LinkTarget is null
                    ? $"{Printable(name)} is not in {RunStore.ManifestName}: it was added after the run ended"
                    : $"{Printable(name)} is a link"
            );
        }
        return problems;
    }

    private static string? Changed(string name, FileInfo file, string expected)
    {
        try
        {
            return RunStore.Sha256(file.FullName) == expected
                ? null
                : $"{name} has changed since the run ended (its SHA-256 differs from the manifest)";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{name} cannot be read: {e.Message}";
        }
    }

    /// <summary>
    /// Files of a folder and of those inside, and every link, which is never followed; in the order of their names.
    /// </summary>
    private static IEnumerable<(string Name, FileInfo File)> Files(string folder)
    {
        var found = new List<(string Name, FileInfo File)>();
        Walk(new DirectoryInfo(folder), "");
        return found.OrderBy(f => f.Name, StringComparer.Ordinal);

        void Walk(DirectoryInfo at, string prefix)
        {
            foreach (var entry in at.EnumerateFileSystemInfos())
            {
                string name = prefix + entry.Name;
                if (entry is DirectoryInfo inside && inside.LinkTarget is null)
                    Walk(inside, name + "/");
                else if (entry.LinkTarget is not null || !IsExempt(name))
                    found.Add((name, new FileInfo(entry.FullName)));
            }
        }
    }

    private static bool IsExempt(string name) =>
        name is RunStore.ManifestName or RunStore.CompleteName or RunStore.LockName || WholeFile.IsTemporary(name);

    /// <summary>What keeps a name from being one of a file inside of the folder; null when nothing does.</summary>
    private static string? Fault(string name) =>
        name.Length == 0 ? "is empty"
        : name.Any(char.IsControl) ? "has a control character"
        : name.Contains('\\', StringComparison.Ordinal) ? "has a backslash"
        : name[0] == '/' || Path.IsPathRooted(name) ? "is absolute"
        : name.Split('/').Any(p => p is "" or "." or "..") ? "leads elsewhere"
        : IsExempt(name) ? "is not one that a manifest covers"
        : null;

    /// <summary>A line of somebody else's file, for a message.</summary>
    private static string Printable(string text) =>
        string.Concat(text.Take(200).Select(c => char.IsControl(c) ? '?' : c));
}
