using System.Text.RegularExpressions;
using LutNative.Harness.Commands;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Tests;

/// <summary>
/// Errors by their source: every id has one meaning, is a number that somebody wrote, and the commands in errors and
/// advice are commands.
/// </summary>
public sealed partial class ErrorTests
{
    private static IEnumerable<(string File, string Text)> Sources() =>
        Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "harness"), "*.cs", SearchOption.AllDirectories)
            .Where(f =>
                !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !f.Contains(
                    $"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}",
                    StringComparison.Ordinal
                )
            )
            .Select(f =>
                (
                    Path.GetFileName(f),
                    string.Join(
                        '\n',
                        File.ReadLines(f).Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal))
                    )
                )
            );

    [GeneratedRegex(
        @"\(\s*(Exit\.(?<exit>\w+)|(?<any>exit)),\s*(?<number>\d+)( \+ \(int\)x\.Fault)?,\s*(?<what>\$?""[^""]*|\w+)"
    )]
    private static partial Regex Made();

    [GeneratedRegex("`(lut [^`]*)`")]
    private static partial Regex Advice();

    [Fact]
    public void EveryIdHasOneMeaning()
    {
        var made = Sources()
            .SelectMany(s =>
                Made()
                    .Matches(s.Text)
                    .Select(m =>
                        (
                            s.File,
                            Exit: m.Groups["exit"].Value,
                            Number: int.Parse(m.Groups["number"].Value),
                            What: m.Groups["what"].Value
                        )
                    )
            )
            .ToList();
        Assert.InRange(made.Count, 90, 400);
        // an error whose exit its caller chooses has its number under every digit
        var twice = made.GroupBy(m => m.Number)
            .SelectMany(g =>
                g.Any(m => m.Exit.Length == 0) && g.Count() > 1 && g.Any(m => m.Exit is "Usage" or "Data" or "Store")
                    ? [g.ToList()]
                    : g.GroupBy(m => m.Exit).Where(e => e.Count() > 1).Select(e => e.ToList())
            )
            .ToList();
        Assert.True(
            twice.Count == 0,
            string.Join(
                '\n',
                twice.Select(g => string.Join(" and ", g.Select(m => $"{m.File} {m.Exit} {m.Number} {m.What}")))
            )
        );
        foreach (var m in made.Where(m => m.Exit.Length > 0))
            Assert.True(Enum.TryParse<Exit>(m.Exit, out _), m.ToString());
    }

    /// <summary>
    /// Nothing but <see cref="LutError"/> puts an id together, and nobody makes an exit code of a child's.
    /// </summary>
    [Fact]
    public void IdsAreNotGlued()
    {
        foreach (var (file, text) in Sources().Where(s => s.File != "LutError.cs"))
        {
            Assert.False(Regex.IsMatch(text, @"error LUT|LUT\{"), file + " writes an id itself");
            Assert.False(
                Regex.IsMatch(text, @"new LutError\((?!\s*(Exit\.|exit,))"),
                file + " makes an error whose exit code is not a known one"
            );
        }
    }

    [Fact]
    public void CommandsInAdviceParse()
    {
        var root = Verbs.Root(default);
        var wrong = new List<string>();
        int seen = 0;
        foreach (var (file, text) in Sources())
        foreach (Match m in Advice().Matches(text))
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
                wrong.Add($"{file}: {m.Value}: {e.What}");
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
