using System.Text.RegularExpressions;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>docs/ARCHITECTURE.md is true of the tree: links, names, folders and arrows.</summary>
public sealed class ArchitectureTests
{
    private const string Page = "docs/ARCHITECTURE.md";
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, Page));

    public static TheoryData<string> Pages => [.. Links.Pages()];

    /// <summary>Of every page: a link leads somewhere.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void ALinkLeadsSomewhere(string page) =>
        Assert.Empty(Links.Broken(page, File.ReadAllText(Path.Combine(Repository.Root, page))));

    /// <summary>Of this page: also every name of a file in code (elsewhere such a name is often a user's).</summary>
    [Fact]
    public void EveryFileThatIsNamedExists() => Assert.Empty(Links.Unknown(Text));

    [Theory]
    [InlineData("../model/Layers/Block.cs", "../model/Layers/Blocks.cs", "../model/Layers/Blocks.cs")]
    [InlineData("`model/Ops/Elementwise/ElementwiseOracle.cs`", "`model/Ops/Elementwise/Oracle.cs`", "Oracle.cs")]
    [InlineData("(NUMERICS.md)", "(NUMERIC.md)", "NUMERIC.md")]
    [InlineData("(NUMERICS.md)", "(NUMERICS.md#worlds)", "#worlds")]
    public void APlantedNameIsSeen(string from, string to, string told)
    {
        Assert.Contains(from, Text);
        string planted = Text.Replace(from, to);
        Assert.Contains(
            Links.Broken(Page, planted).Concat(Links.Unknown(planted)),
            b => b.Contains(told, StringComparison.Ordinal)
        );
    }

    /// <summary>The picture's arrows are the projects' references, no more and no fewer.</summary>
    [Fact]
    public void ThePictureIsTheProjects()
    {
        var drawn = Regex.Matches(Text, @"(?m)^ +(\w+) --> (\w+)$").Select(m => $"{m.Groups[1]} {m.Groups[2]}");
        string[] projects = ["interop", "model", "results", "harness"];
        var there =
            from project in projects
            let file = Directory.GetFiles(Path.Combine(Repository.Root, project), "*.csproj").Single()
            from Match m in Regex.Matches(File.ReadAllText(file), @"ProjectReference Include=""\.\./(\w+)/")
            select $"{project} {m.Groups[1]}";
        Assert.Equal(there.Order(), drawn.Order());
    }

    /// <summary>Folders at the top, rooms of the harness and folders of the model: none is left out.</summary>
    [Fact]
    public void EveryFolderIsOnTheMap()
    {
        foreach (string top in new[] { "model", "harness", "results", "interop", "native", "tests", "samples", "ops" })
            Assert.Contains($"[{top}/]", Text);
        string[] data = ["protocols", "claims", "bin", "obj"];
        foreach (string project in new[] { "harness", "model" })
        {
            string order = Regex.Match(Text, $@"(?s)^- {project}: (.*?)\.\s", RegexOptions.Multiline).Groups[1].Value;
            var named = Regex.Matches(order, @"\w+").Select(m => m.Value).ToHashSet();
            var there = Directory
                .GetDirectories(Path.Combine(Repository.Root, project))
                .Select(d => Path.GetFileName(d)!)
                .Except(data);
            Assert.Equal(there.Order(), named.Order());
        }
    }

    /// <summary>Every kind of thing that can be added has its steps.</summary>
    [Theory]
    [InlineData("An operation")]
    [InlineData("A stage")]
    [InlineData("A verb")]
    [InlineData("A data set")]
    [InlineData("A column")]
    [InlineData("A protocol")]
    [InlineData("An error")]
    public void AddingItIsNumberedSteps(string thing)
    {
        var section = Regex.Match(Text, $@"(?s)\n### {thing}[^\n]*\n(.*?)(\n### |\z)").Groups[1].Value;
        Assert.Matches(@"(?s)^Example: .*\]\(.*\n1\. .*\n2\. ", section);
    }

    [Fact]
    public void LinesAreShortButInTables() =>
        Assert.All(
            Text.Split('\n').Where(l => !l.StartsWith('|')),
            line => Assert.True(line.Length <= 120, $"{line.Length}: {line}")
        );
}
