using System.Text.RegularExpressions;
using LutNative.Harness.Commands;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace LutNative.Harness.Tests.Errors;

/// <summary>
/// The catalogue by its source: every id has one meaning, docs/ERRORS.md tells it, and the commands in errors and advice
/// are commands.
/// </summary>
public sealed partial class ErrorTests
{
    private static IEnumerable<string> Files() =>
        Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "harness"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(Repository.Root, f).Split('/', '\\').Any(part => part is "obj" or "bin"));

    [GeneratedRegex("`(lut [^`]*)`")]
    private static partial Regex Advice();

    [GeneratedRegex("(?<!\\\\)\"\\s*\\+\\s*\\$?\"")]
    private static partial Regex Joint();

    [Fact]
    public void EveryIdHasOneMeaning()
    {
        var made = ErrorCatalogue.Read().SelectMany(k => k.Errors).ToList();
        Assert.InRange(made.Count, 150, 400);
        Assert.Empty(Twice(made));
    }

    /// <summary>Two errors of one number are one id under one exit code, and two ids under two.</summary>
    [Theory]
    [InlineData("Exit.Data, 1", "Exit.Data, 1", "LUT6001: A.One and A.Two")]
    [InlineData("exit, 7", "Exit.Store, 7", "LUT9007: A.One and A.Two")]
    [InlineData("Exit.Data, 1", "Exit.Usage, 1", null)]
    public void AnIdGivenTwiceIsSeen(string one, string two, string? seen)
    {
        string source =
            $"static class A {{ static LutError One(Exit exit) => new({one}, \"\", \"\", \"\", \"\"); "
            + $"static LutError Two() => new({two}, \"\", \"\", \"\", \"\"); }}";
        Assert.Equal(seen, Twice(ErrorCatalogue.Read(source).SelectMany(k => k.Errors)).SingleOrDefault());
    }

    private static IEnumerable<string> Twice(IEnumerable<ErrorEntry> made) =>
        made.SelectMany(e => e.Ids.Select(id => (id, e.Name)))
            .GroupBy(x => x.id, x => x.Name)
            .Where(g => g.Count() > 1)
            .Select(g => $"{g.Key}: {string.Join(" and ", g)}");

    /// <summary>A class has one exit code, and its errors stand in the order of their numbers.</summary>
    [Fact]
    public void TheCatalogueIsInOrder()
    {
        foreach (var kind in ErrorCatalogue.Read().Where(k => k.Name != nameof(FileErrors)))
        {
            Assert.Single(kind.Errors.Select(e => e.Exits.Single()).Distinct());
            Assert.Equal(kind.Errors.OrderBy(e => e.Number), kind.Errors);
            Assert.NotEmpty(kind.Meaning);
        }
    }

    /// <summary>docs/ERRORS.md is made from the catalogue; LUT_UPDATE_DOCS=1 writes it.</summary>
    [Fact]
    public void TheDocumentIsTheCatalogue()
    {
        string text = ErrorCatalogue.Document();
        string path = Path.Combine(Repository.Root, "docs", "ERRORS.md");
        if (Environment.GetEnvironmentVariable("LUT_UPDATE_DOCS") == "1")
            File.WriteAllText(path, text);
        Assert.Equal(text, File.ReadAllText(path).ReplaceLineEndings("\n"));
    }

    /// <summary>An error is made by the catalogue, and nothing else puts an id together.</summary>
    [Fact]
    public void ErrorsAreMadeInOnePlace()
    {
        foreach (string file in Files())
        {
            string room = Path.GetFileName(Path.GetDirectoryName(file)!);
            var root = CSharpSyntaxTree.ParseText(File.ReadAllText(file)).GetRoot();
            if (room != "Errors")
                Assert.False(
                    root.DescendantNodes()
                        .OfType<BaseObjectCreationExpressionSyntax>()
                        .Any(n =>
                            n.ArgumentList?.Arguments.FirstOrDefault()?.ToString() is { } first
                            && n.ArgumentList.Arguments.Count == 6
                            && (first == "exit" || first.StartsWith("Exit.", StringComparison.Ordinal))
                        ),
                    file + " makes an error itself"
                );
            if (Path.GetFileName(file) != "LutError.cs")
                Assert.DoesNotContain(
                    root.DescendantTokens(),
                    t => t.Text.Contains("error LUT", StringComparison.Ordinal) || t.Text == "LUT"
                );
        }
    }

    /// <summary>A file without its comments, and texts of several pieces as one.</summary>
    private static string Code(string file) =>
        Joint()
            .Replace(
                string.Join(
                    '\n',
                    File.ReadLines(file).Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal))
                ),
                ""
            );

    [Fact]
    public void CommandsInAdviceParse()
    {
        var root = Verbs.Root(default);
        var wrong = new List<string>();
        int seen = 0;
        foreach (string file in Files())
        foreach (Match m in Advice().Matches(Code(file)))
        {
            seen++;
            // what stands for something: {a value}, UPPER CASE, "why"
            string[] words =
            [
                .. Regex
                    .Replace(m.Groups[1].Value.Replace("\\\"", "", StringComparison.Ordinal), @"\{[^{}]*\}", "x")
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Skip(1),
            ];
            if (words is [var verb] && root.Subcommands.Any(c => c.Name == verb))
                continue; // the verb is spoken of
            if (CommandLineError.Of(root.Parse(words), words) is { } e)
                wrong.Add($"{Path.GetFileName(file)}: {m.Value}: {e.What}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(seen > 15);
    }

    [Theory]
    [InlineData("run hello@1 --output-dir x", "did you mean --output?")]
    [InlineData("show --jsn", "did you mean --json?")]
    [InlineData("rum hello@1", "did you mean lut run?")]
    [InlineData("data chek x", "did you mean lut data check?")]
    [InlineData("verify --refrence=a b", "did you mean --reference?")]
    [InlineData("run hello@1 --threads 100000", "see lut run --help")]
    public void AnErrorSaysWhatWasMeant(string line, string meant)
    {
        string[] words = line.Split(' ');
        var e = CommandLineError.Of(Verbs.Root(default).Parse(words), words);
        Assert.Equal("LUT2000", e!.Id);
        Assert.Contains(meant, e.Message);
    }

    [Theory]
    [InlineData("show -- --json")]
    [InlineData("verify runs/a --json")]
    [InlineData("finetune hello@1 --checkpoint=x --set pretrain.epochs=1 -q")]
    public void WhatIsRightIsNotCorrected(string line)
    {
        string[] words = line.Split(' ');
        Assert.Null(CommandLineError.Of(Verbs.Root(default).Parse(words), words));
    }

    [Fact]
    public void NamesFromFilesMakeNoLinesOfAnError() =>
        Assert.Equal(
            4,
            new LutError(Exit.Data, 1, "a\n::error::b", "c\rd\x1b[2J", "e\u2028f", "g")
                .Message.Split('\n', '\r', '\x1b', '\u2028')
                .Length
        );

    public static TheoryData<Exception, string> Known { get; } =
        new()
        {
            { new OutOfMemoryException("x"), "LUT5461" },
            { new AggregateException(new IOException("the file '/a/b' is busy")), "LUT9461" },
            { new UnauthorizedAccessException("Access to the path '/a/b' is denied."), "LUT9461" },
            { new Model.Tensors.ShapeException("x"), "LUT2460" },
            { new TypeInitializationException("x", new InsufficientExecutionStackException()), "LUT6460" },
            { new NullReferenceException(), "LUT1001" },
        };

    [Theory]
    [MemberData(nameof(Known))]
    public void OnlyABugIsABug(Exception e, string id)
    {
        var error = Refusals.Of(e);
        Assert.Equal(id, error.Id);
        if (id == "LUT9461")
            Assert.Contains("where: /a/b", error.Message);
        if (id == "LUT1001")
            Assert.True(
                error.Message.Contains("please report it", StringComparison.Ordinal)
                    && error.Message.Contains(LutVersion.Text, StringComparison.Ordinal),
                error.Message
            );
    }
}
