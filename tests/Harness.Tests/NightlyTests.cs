using System.Diagnostics;
using System.Xml.Linq;
using LutNative.Harness.Errors;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Tests.Cli;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>
/// The regression kit: suites and baselines as text, what a night says, histories. No test looks at this machine's
/// speed.
/// </summary>
public sealed class NightlyTests : IDisposable
{
    private static readonly string Fixtures = Path.Combine(Repository.Root, "tests", "fixtures", "nightly");
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Finding F(
        int night,
        string kind,
        string key,
        string verdict,
        double? b = null,
        double? ratio = null,
        string commit = "c0ffee"
    ) =>
        new(
            new DateTime(2026, 1, 1, 2, 17, 0, DateTimeKind.Utc).AddDays(night),
            kind,
            key,
            "a-cpu",
            verdict,
            commit,
            "why",
            b / ratio,
            b,
            ratio,
            ratio - 0.01,
            ratio + 0.01,
            0.01,
            ratio is null ? null : 0.02
        );

    private static IReadOnlyList<IReadOnlyList<Finding>> Year(int nights) =>
        [
            .. Enumerable
                .Range(0, nights)
                .Select(n =>
                    (IReadOnlyList<Finding>)
                        [
                            F(n, "exact", "hello", n == 200 ? "DIVERGED" : "IDENTICAL", commit: $"{n:x8}"),
                            F(n, "smoke", "fashion-mae", "IN-BAND", 81.3),
                            .. new[] { "fashion-lut", "vitb16", "finetune" }.Select(
                                (k, i) =>
                                    F(
                                        n,
                                        "perf",
                                        k,
                                        n == 120 ? "SLOWER" : "SAME",
                                        (n < 120 ? 100 : 90) * (i + 1) + n * 7 % 5 * 0.1,
                                        n == 120 ? 0.9 : 1.0,
                                        $"{n:x8}"
                                    )
                            ),
                        ]
                ),
        ];

    [Fact]
    public void ANightOfRealRunsEndsWellOnThisMachine()
    {
        var r = Lut.Started(
            "nightly",
            "--suite",
            Path.Combine(Fixtures, "bits.toml"),
            "--baseline",
            folder["baselines"],
            "-o",
            folder["nights"],
            "-q"
        );
        Assert.True(r.Exit == 0, r.Out + r.Error);
        Assert.StartsWith("VERDICT nightly=CLEAN red=0 rows=2 ", r.LastLine, StringComparison.Ordinal);
        // a planted bit: the night is red, ends after the bits, and says where
        r = Lut.Started(
            "nightly",
            "--suite",
            Path.Combine(Fixtures, "bits.toml"),
            "--baseline",
            folder["baselines"],
            "-o",
            folder["nights"],
            "-q",
            "--inject",
            "step=5,tensor=cls_token,bit=4"
        );
        Assert.Equal(3, r.Exit);
        Assert.StartsWith("VERDICT nightly=RED red=1 rows=1 ", r.LastLine, StringComparison.Ordinal);
        string night = Directory.GetDirectories(folder["nights"]).Order(StringComparer.Ordinal).Last();
        Assert.Contains("| exact | hello | **DIVERGED**", File.ReadAllText(Path.Combine(night, "summary.md")));
        var junit = XDocument.Load(Path.Combine(night, "junit.xml"));
        Assert.Contains("pretrain 5", junit.Descendants("failure").Single().Value);
        Assert.Contains("state: open", File.ReadAllText(Path.Combine(night, "issue-exact-hello.md")));
        Assert.Contains("DIVERGED", File.ReadAllText(Path.Combine(folder["nights"], "history.html")));
        Assert.Equal(["DIVERGED"], Finding.Of(new RunStore(night).Read(Schema.Comparisons)).Select(f => f.Verdict));
        Assert.Empty(new RunStore(night).Damage());
        Assert.Equal(
            0,
            Lut.Started(
                "nightly",
                "--suite",
                Path.Combine(Fixtures, "bits.toml"),
                "--baseline",
                folder["baselines"],
                "-o",
                folder["nights"],
                "-q",
                "--inject",
                "step=5,tensor=cls_token,bit=4",
                "--exit-zero"
            ).Exit
        );
    }

    [Theory]
    [InlineData("[bits.a]\nprotcol = \"hello@1\"\n", "did you mean protocol?")]
    [InlineData("[bits.a]\nprotocol = \"hallo@1\"\n", "did you mean hello@1?")]
    [InlineData("[bit.a]\nprotocol = \"hello@1\"\n", "sections are")]
    [InlineData("[perf.a]\nshape = \"tiny\"\nstage = \"pretrain\"\n", "[perf.a] lacks launches")]
    [InlineData(
        "[smoke.a]\nprotocol = \"hello@1\"\nseeds = 3\nmetric = \"knn_top1\"\nlow = \"x\"\nhigh = 1\n",
        "a.seeds must be an array"
    )]
    public void ASuiteIsReadStrictly(string toml, string says)
    {
        File.WriteAllText(folder["suite.toml"], toml);
        var e = Assert.Throws<LutError>(() => Suite.Load(folder["suite.toml"]));
        Assert.Equal(Exit.Usage, e.Exit);
        Assert.Contains(says, e.Message);
    }

    [Fact]
    public void TheShippedSuitesLoad()
    {
        var suite = Suite.Load(Path.Combine(Repository.Root, "ops", "nightly.toml"));
        Assert.Equal((3, 1, 3), (suite.Bits.Count, suite.Smoke.Count, suite.Perf.Count));
        Assert.All(suite.Bits, b => Assert.NotNull(Reference.Find(b.Protocol)));
        Assert.Single(Suite.Load(Path.Combine(Fixtures, "quick.toml")).Perf);
    }

    [Fact]
    public void BaselinesAreTextThatReadsBack()
    {
        var all = Baselines.Load(folder.Path, "a-cpu");
        all.Set(
            new Baseline(
                "vitb16",
                [10.5, 10.25],
                [],
                0.03,
                "abc",
                "2026-01-01",
                "somebody",
                "c0ffee",
                "a \"quoted\" reason\nof two lines"
            )
        );
        all.Write();
        Assert.Contains("pinned = [10.5, 10.25]", File.ReadAllText(folder["a-cpu.toml"]));
        var b = Baselines.Load(folder.Path, "a-cpu").Rows["vitb16"];
        Assert.Equal([10.5, 10.25], b.Pinned);
        Assert.Equal(("a \"quoted\" reason of two lines", 0.03, "abc"), (b.Reason, b.Band, b.Digest));
        // twenty nights at most; the band follows the nights once there are some, and is never below what was accepted
        for (int n = 0; n < 30; n++)
            b = b.After(10 + n % 3);
        Assert.Equal(20, b.Rolling.Count);
        Assert.True(b.BandNow > 0.2);
        Assert.Equal(
            0.03,
            b.After(1).BandNow > 0 ? new Baseline("x", [1], [1, 1, 1, 1, 1, 1], 0.03, "", "", "", "", "").BandNow : 0
        );
        File.WriteAllText(folder["a-cpu.toml"], "[perf.vitb16]\npinned = [\"ten\"]\n");
        Assert.Contains(
            "positive numbers",
            Assert.Throws<LutError>(() => Baselines.Load(folder.Path, "a-cpu")).Message
        );
    }

    [Fact]
    public void AnIssueLivesAndCloses()
    {
        IReadOnlyList<Finding> Night(int n, string verdict) => [F(n, "perf", "vitb16", verdict, 90, 0.9)];
        var nights = new List<IReadOnlyList<Finding>>
        {
            Night(0, "SAME"),
            Night(1, "SLOWER"),
            Night(2, "SLOWER"),
            Night(3, "SLOWER"),
        };
        Assert.Contains("failing 3 nights, -10.0 % [-11.0, -9.0]", Assert.Single(NightReport.Issues(nights)).Text);
        Assert.Contains("| 3 |", NightReport.Summary(nights));
        nights.AddRange([Night(4, "SAME"), Night(5, "CLEARED")]);
        Assert.Contains("state: open", Assert.Single(NightReport.Issues(nights)).Text);
        nights.Add(Night(6, "SAME"));
        Assert.Contains("state: closed", Assert.Single(NightReport.Issues(nights)).Text);
        nights.Add(Night(7, "SAME"));
        Assert.Empty(NightReport.Issues(nights));
    }

    [Fact]
    public void ThreeUnfitNightsAreAnAlertAndNeverARegression()
    {
        var nights = Enumerable
            .Range(0, 3)
            .Select(n => (IReadOnlyList<Finding>)[F(n, "perf", "vitb16", "UNFIT")])
            .ToList();
        Assert.Contains("could not be measured for 3 nights", NightReport.Summary(nights));
        Assert.Empty(NightReport.Issues(nights));
        Assert.Equal(
            "1",
            XDocument
                .Parse(
                    NightReport.JUnit(nights[^1])[
                        (NightReport.JUnit(nights[^1]).IndexOf("?>", StringComparison.Ordinal) + 2)..
                    ]
                )
                .Descendants("testsuite")
                .Single()
                .Attribute("skipped")!
                .Value
        );
    }

    /// <summary>
    /// A step of ten percent in the 120th night is found there, and nowhere else; noise alone has none.
    /// </summary>
    [Fact]
    public void AChangeOfLevelIsFoundWhereItHappened()
    {
        var random = new Random(3);
        double[] steady = [.. Enumerable.Range(0, 200).Select(_ => 100 * (1 + 0.02 * (random.NextDouble() - 0.5)))];
        Assert.Empty(ChangePoints.Find(steady, 0.02));
        double[] step = [.. steady.Select((v, i) => i < 120 ? v : 0.9 * v)];
        Assert.InRange(Assert.Single(ChangePoints.Find(step, 0.02)), 118, 122);
        Assert.Empty(ChangePoints.Find(step[116..124], 0.02)); // too few nights to say anything
    }

    /// <summary>
    /// A year of five rows a night: one page below two megabytes, without a link that leaves it, the same for the same
    /// nights.
    /// </summary>
    [Fact]
    public void AYearIsOneSmallPage()
    {
        string html = HtmlReport.History(Year(365));
        Assert.InRange(html.Length, 100_000, 2_000_000);
        Assert.Equal(html, HtmlReport.History(Year(365)));
        Assert.DoesNotContain("http", html.Replace("http://www.w3.org/2000/svg", "").Replace("http-equiv", ""));
        Assert.Contains("level changed between 00000077 and 00000078", html);
    }

    /// <summary>Five launches of a benchmark; others kept so many cores busy.</summary>
    private static Table<ThroughputRow> Measured(double? otherLoad)
    {
        var row = PlainRow.Of<ThroughputRow>("x") with { CheckDigest = "abc", OtherLoad = otherLoad, Slowdown = null };
        return new(Enumerable.Range(0, 5).Select(l => row with { Launch = l, ImagesPerSecond = 60.0 + l % 2 }));
    }

    [Fact]
    public void ABaselineIsAcceptedListedAndExpired()
    {
        string hardware = Machine.HardwareKey(Model.Devices.Cpu.Best());
        string night = folder["night"];
        var comparisons = new Table<ComparisonRow>();
        comparisons.Add(F(0, "perf", "tiny", "NO-BASELINE", 60).ToRow(new RunId("id"), "baseline", "tonight"));
        new RunStore(RunStore.Create(night).Folder).Commit([comparisons], new Dictionary<string, string>());
        RunStore
            .Create(Night.ThroughputOf(night, "tiny"))
            .Commit([Measured(otherLoad: null)], new Dictionary<string, string>());
        Assert.Equal(8, Lut.Run("baseline", "list", "--baseline", folder["b"]).Exit);
        Assert.Equal(2, Lut.Run("baseline", "accept", night, "--baseline", folder["b"]).Exit); // a reason is required
        var r = Lut.Run("baseline", "accept", night, "--baseline", folder["b"], "--reason", "first");
        Assert.True(r.Exit == 0, r.Out + r.Error);
        // others kept the machine busy: only by force, and the file says so
        string busy = folder["busy"];
        comparisons.Add(F(0, "perf", "tiny", "UNFIT", 60).ToRow(new RunId("id"), "baseline", "tonight"));
        RunStore.Create(busy).Commit([comparisons], new Dictionary<string, string>());
        RunStore
            .Create(Night.ThroughputOf(busy, "tiny"))
            .Commit([Measured(otherLoad: 2.0)], new Dictionary<string, string>());
        var refused = Lut.Run("baseline", "accept", busy, "--baseline", folder["forced"], "--reason", "in a hurry");
        Assert.True(
            refused.Exit == 5
                && refused.Error.Contains("2.00 cores busy")
                && Baselines.Load(folder["forced"], hardware).Rows.Count == 0,
            refused.Out + refused.Error
        );
        Assert.Equal(
            0,
            Lut.Run(
                "baseline",
                "accept",
                busy,
                "--baseline",
                folder["forced"],
                "--reason",
                "in a hurry",
                "--force"
            ).Exit
        );
        Assert.Contains(
            "in a hurry (forced: the night: other processes kept 2.00 cores busy",
            File.ReadAllText(Path.Combine(folder["forced"], hardware + ".toml"))
        );
        Assert.Contains("reason = \"first\"", File.ReadAllText(Path.Combine(folder["b"], hardware + ".toml")));
        Assert.Equal([60.0, 61, 60, 61, 60], Baselines.Load(folder["b"], hardware).Rows["tiny"].Pinned);
        Assert.Equal(0, Lut.Run("baseline", "list", "--baseline", folder["b"], "--json").Exit);
        Assert.Contains("did you mean tiny?", Lut.Run("baseline", "expire", "tinny", "--baseline", folder["b"]).Error);
        Assert.Equal(0, Lut.Run("baseline", "expire", "tiny", "--baseline", folder["b"]).Exit);
        Assert.Empty(Baselines.Load(folder["b"], hardware).Rows);
    }

    /// <summary>
    /// A repository of nine commits, one of which cannot be built: the first one with other bits is found, one run a
    /// commit.
    /// </summary>
    [Fact]
    public void BisectFindsTheCommit()
    {
        void Git(params string[] words)
        {
            var start = new ProcessStartInfo("git")
            {
                WorkingDirectory = folder.Path,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (string w in new[] { "-c", "user.name=t", "-c", "user.email=t@t" }.Concat(words))
                start.ArgumentList.Add(w);
            using var p = Process.Start(start)!;
            p.StandardOutput.ReadToEnd();
            p.WaitForExit();
            Assert.Equal(0, p.ExitCode);
        }
        Git("init", "-q", ".");
        for (int i = 0; i < 9; i++)
        {
            File.WriteAllText(folder["bits"], i < 6 ? "right" : "wrong");
            File.WriteAllText(folder["n"], $"{i}");
            if (i == 4)
                File.WriteAllText(folder["broken"], "");
            else
                File.Delete(folder["broken"]);
            Git("add", "-A");
            Git("commit", "-q", "-m", $"commit {i}");
            Git("tag", $"c{i}");
        }
        var found = Bisect.Run(folder.Path, "c0", "c8", "test ! -e broken && cat bits", _ => { });
        Assert.Equal(("commit 6", "right", "wrong"), (found.Subject, found.GoodDigest, found.BadDigest));
        Assert.InRange(found.Tried, 3, 6);
        Assert.Equal(
            Exit.NothingSelected,
            Assert.Throws<LutError>(() => Bisect.Run(folder.Path, "c0", "c3", "cat bits", _ => { })).Exit
        );
        var r = Lut.Started(
            "bisect",
            "--good",
            "c0",
            "--bad",
            "c8",
            "--repository",
            folder.Path,
            "--command",
            "cat bits",
            "--json",
            "-q"
        );
        Assert.True(r.Exit == 0 && r.Out.Contains("commit 6"), r.Out + r.Error);
    }
}
