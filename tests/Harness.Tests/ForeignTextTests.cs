using System.Xml.Linq;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Tests.Cli;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>
/// Names from files are text wherever they are shown: no markup in pages, pictures and Markdown, no command in logs, no
/// formula in tables.
/// </summary>
public sealed class ForeignTextTests : IDisposable
{
    internal const string Evil =
        "</title></style><script>document.title='owned'</script><img src=x "
        + "onerror=\"document.title='owned'\">\n::error::owned\x1b[2J|`@team`=1+1\u202e";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Finding Row(int night, string verdict = "DIVERGED") =>
        new(
            new DateTime(2026, 1, 1, 2, 17, 0, DateTimeKind.Utc).AddDays(night),
            "perf" + Evil,
            Evil,
            Evil,
            verdict,
            Evil,
            Evil,
            1,
            2,
            0.5,
            0.4,
            0.6,
            0.01,
            0.02
        );

    internal static IReadOnlyList<IReadOnlyList<Finding>> Nights { get; } =
    [
        [Row(0)],
        [Row(1, Evil)],
        [Row(2)],
    ];

    /// <summary>A run whose every text column says it.</summary>
    internal static RunStore Run(string folder)
    {
        var store = RunStore.Create(folder);
        foreach (
            var table in new Table[]
            {
                new Table<RunRow>([PlainRow.Of<RunRow>(Evil)]),
                new Table<HostRow>([PlainRow.Of<HostRow>(Evil)]),
                new Table<StepRow>([PlainRow.Of<StepRow>(Evil)]),
                new Table<EvalRow>([PlainRow.Of<EvalRow>(Evil)]),
                new Table<EventRow>([PlainRow.Of<EventRow>(Evil)]),
            }
        )
            store.Commit([table], new Dictionary<string, string> { ["lut.run_id"] = Evil });
        return store;
    }

    [Fact]
    public void APageHasNoMarkupOfOthers()
    {
        string html = HtmlReport.Runs([Run(folder["a"]), Run(folder["b"])], null, Nights);
        Assert.DoesNotContain("<script>document", html);
        Assert.DoesNotContain("<img src=x", html);
        Assert.DoesNotContain('\x1b', html);
        Assert.Equal(1, html.Split("<script>").Length - 1);
        Assert.Equal(1, html.Split("<style>").Length - 1);
        Assert.Contains("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;;", html);
        Assert.Contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;", html);
    }

    [Fact]
    public void AMetricOfATrialStaysText()
    {
        Directory.CreateDirectory(folder["run"]);
        File.Copy(
            Path.Combine(Repository.Root, "tests", "fixtures", "trials", "90-evil-evals", "evals-00001.parquet"),
            Path.Combine(folder["run"], "evals-00001.parquet")
        );
        string html = HtmlReport.Runs([new RunStore(folder["run"])], null, []);
        Assert.Equal(1, html.Split("<script>").Length - 1);
        Assert.Contains("&lt;script&gt;", html);
    }

    [Fact]
    public void APictureIsXmlWithTextInIt()
    {
        string svg = Chart.File(
            Evil,
            Evil,
            Evil,
            [new Series(Evil, [0, 1], [1, 2], Notes: [Evil, Evil]), new Series(Evil, [0, 1], [1, 2])]
        );
        var xml = XDocument.Parse(svg);
        Assert.DoesNotContain(xml.Descendants(), e => e.Name.LocalName is "script" or "img");
        Assert.Single(xml.Descendants(), e => e.Name.LocalName == "style");
    }

    [Fact]
    public void ANightsPapersKeepTheirForm()
    {
        string summary = NightReport.Summary(Nights);
        Assert.Equal(
            2,
            summary
                .Split('\n')
                .Count(l =>
                    l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| --- ", StringComparison.Ordinal)
                )
        ); // the head and one row
        Assert.DoesNotContain("<script>", summary);
        Assert.DoesNotContain("`@team`", summary);
        Assert.DoesNotContain("\n::error", summary);
        string junit = NightReport.JUnit([Row(0)]);
        Assert.Single(
            XDocument.Parse(junit[(junit.IndexOf("?>", StringComparison.Ordinal) + 2)..]).Descendants("failure")
        );
        var (file, text) = Assert.Single(NightReport.Issues(Nights));
        Assert.True(FileName.Fits(file), file);
        Assert.DoesNotContain("\n::error", text);
        // an issue's title is text
        Assert.DoesNotContain("<script>", text[text.IndexOf('\n', StringComparison.Ordinal)..]);
        string line = GitHubLog.Error(Evil, Evil + "100%");
        Assert.DoesNotContain('\n', line);
        Assert.EndsWith("100%25", line, StringComparison.Ordinal);
        Assert.Equal(2, line.Split("::error ").Length);
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0")]
    [InlineData("@SUM(A1,A2)", "\"'@SUM(A1,A2)\"")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("a\"b\nc", "\"a\"\"b\nc\"")]
    [InlineData("hello@1", "hello@1")]
    [InlineData("", "")]
    public void ACellIsNoFormula(string text, string cell) => Assert.Equal(cell, Csv.Text(text));

    [Fact]
    public void WhatIsExportedAndPrintedKeepsItsForm()
    {
        var run = Run(folder["run"]);
        File.WriteAllText(Path.Combine(run.Folder, "config.resolved.toml"), "");
        var r = Lut.Run("export", run.Folder, "-o", folder["csv"]);
        Assert.True(r.Exit == 0, r.Out + r.Error);
        string events = File.ReadAllText(Path.Combine(folder["csv"], "events.csv"));
        Assert.Contains("\"</title>", events);
        Assert.Contains(",1,", File.ReadAllText(Path.Combine(folder["csv"], "evals.csv"))); // numbers are no text
        foreach (
            string[] words in new string[][]
            {
                ["show", run.Folder],
                ["compare", run.Folder, run.Folder],
                ["show", run.Folder, "--json"],
            }
        )
        {
            r = Lut.Run(words);
            Assert.DoesNotContain('\x1b', r.Out + r.Error);
            Assert.DoesNotContain("\n::error", r.Out + r.Error);
        }
    }
}
