using System.Text.RegularExpressions;
using LutNative.Harness.Commands;

namespace LutNative.Harness.Tests;

/// <summary>Every command that README.md and docs/ show exists and parses.</summary>
public sealed class DocumentedCommandTests
{
    private static readonly string[] Ellipses = ["...", "VERB", "ARGS..."];

    public static TheoryData<string, string> Commands()
    {
        var data = new TheoryData<string, string>();
        foreach (
            string page in Directory
                .GetFiles(Path.Combine(Repository.Root, "docs"), "*.md")
                .Append(Path.Combine(Repository.Root, "README.md"))
                .Order(StringComparer.Ordinal)
        )
        foreach (string command in Of(File.ReadAllText(page)).Distinct())
            data.Add(Path.GetFileName(page), command);
        return data;
    }

    /// <summary>Lines of code blocks, and code inside of text, that begin with lut.</summary>
    private static IEnumerable<string> Of(string text)
    {
        var blocks = Regex.Matches(text, "(?ms)^```[a-z]*$(.*?)^```$").SelectMany(m => m.Groups[1].Value.Split('\n'));
        var spans = Regex
            .Matches(Regex.Replace(text, "(?ms)^```.*?^```$", ""), "`([^`\n]+)`")
            .Select(m => m.Groups[1].Value);
        foreach (string line in blocks.Concat(spans))
            if (
                Regex.Match(line.Trim(), @"^(?:\$ )?(?:\./build\.(?:sh|ps1) )?lut (.+?)(?:\s+#.*|\s+\|.*|;.*)?$") is
                { Success: true } m
            )
                yield return m.Groups[1].Value.TrimEnd('\\').Trim();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void ItParses(string page, string command)
    {
        string[] words =
        [
            .. Regex
                .Matches(command, "\"([^\"]*)\"|(\\S+)")
                .Select(m => m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value),
        ];
        if (words.Any(Ellipses.Contains))
            return; // a sketch
        var root = Verbs.Root(default);
        // `lut data check` names a verb, and `lut verify --claim` one with an option: what they are given is not part
        // of the name
        bool isName = words.Length <= 2;
        var wrong = root.Parse(words)
            .Errors.Select(e => e.Message)
            .Where(m =>
                !isName
                || !(
                    m.StartsWith("Required ", StringComparison.Ordinal)
                    || m.EndsWith("is required.", StringComparison.Ordinal)
                )
            )
            .ToList();
        Assert.True(wrong.Count == 0, $"{page}: lut {command}: {string.Join("; ", wrong)}");
    }

    [Fact]
    public void TheFrontDoorHasTheVerbsThatAreNamed()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string script = File.ReadAllText(Path.Combine(Repository.Root, "build.sh"));
        string[] verbs =
        [
            .. Regex.Matches(readme, @"\./build\.sh ([a-z-]+)").Select(m => m.Groups[1].Value).Distinct(),
        ];
        Assert.NotEmpty(verbs);
        Assert.All(verbs, v => Assert.Contains($"\n  {v})", script));
    }
}
