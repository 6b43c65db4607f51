using System.Text.RegularExpressions;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>What a page of the repository points to.</summary>
internal static partial class Links
{
    private static readonly string[] Generated = ["bin", "obj", "out", "runs", ".git", "TestResults"];
    private static readonly HashSet<string> Files = [.. Below(Repository.Root)];
    private static readonly HashSet<string> Names = [.. Files.Select(f => Path.GetFileName(f)!)];

    [GeneratedRegex(@"(?<!\!)\[[^\]]+\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([A-Za-z0-9_.@/-]+\.(?:cs|cu|cuh|md|toml|sh|ps1|yml))`")]
    private static partial Regex FileName();

    [GeneratedRegex("(?m)^#+ (.+)$")]
    private static partial Regex Heading();

    /// <summary>Targets of links that are not there.</summary>
    /// <param name="page">The page's path from the root; its text may be another than what lies there.</param>
    internal static List<string> Broken(string page, string text) =>
        [.. Link().Matches(text).Select(m => m.Groups[1].Value).Where(target => !Exists(page, text, target))];

    /// <summary>Names of files in code that are not there: paths from the root, or any file of that name.</summary>
    internal static List<string> Unknown(string text) =>
        [.. FileName().Matches(text).Select(m => m.Groups[1].Value).Where(name => !IsSketch(name) && !IsFile(name))];

    private static bool IsSketch(string name) => name[0] == '.' || name.Contains("NAME", StringComparison.Ordinal);

    private static bool IsFile(string name) => name.Contains('/') ? Files.Contains(name) : Names.Contains(name);

    /// <summary>Every page of the repository.</summary>
    internal static IEnumerable<string> Pages() =>
        Files.Where(f => f.EndsWith(".md", StringComparison.Ordinal) && !f.Contains("fixtures/")).Order();

    private static bool Exists(string page, string text, string target)
    {
        if (target.Contains("://", StringComparison.Ordinal))
            return true; // a test needs no network
        string[] parts = target.Split('#', 2);
        string root = Path.GetFullPath(Repository.Root);
        string path = Path.GetFullPath(Path.Combine(root, Path.GetDirectoryName(page)!, parts[0]));
        if (parts[0].Length > 0 && !File.Exists(path) && !Directory.Exists(path))
            return false;
        return parts.Length == 1
            || Heading()
                .Matches(parts[0].Length == 0 ? text : File.ReadAllText(path))
                .Any(h => Anchor(h.Groups[1].Value) == parts[1]);
    }

    /// <summary>As GitHub makes it of a heading.</summary>
    private static string Anchor(string heading) =>
        Regex.Replace(heading.Trim().ToLowerInvariant(), "[^a-z0-9 _-]", "").Replace(' ', '-');

    private static IEnumerable<string> Below(string folder)
    {
        foreach (string file in Directory.GetFiles(folder))
            yield return Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        foreach (string inner in Directory.GetDirectories(folder))
            if (!Generated.Contains(Path.GetFileName(inner)))
                foreach (string file in Below(inner))
                    yield return file;
    }
}
