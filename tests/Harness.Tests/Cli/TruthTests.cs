namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// Whatever cannot be done is said as what it is: never as a bug in lut, and with a command that helps.
/// </summary>
public sealed class TruthTests(HelloRuns hello) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(
        2,
        "LUT2460",
        "heads of 4, 8",
        "run",
        "hello@1",
        "-q",
        "--device",
        "cuda:emulated",
        "--math",
        "run-to-run",
        "--set",
        "model.width=128",
        "--set",
        "model.heads=1"
    )]
    [InlineData(5, "LUT5461", "lut plan", "run", "hello@1", "-q", "--set", "model.width=40000")]
    [InlineData(2, "LUT2003", "must be at most 65536", "plan", "hello@1", "--set", "model.width=2000000000")]
    [InlineData(2, "LUT2000", "an integer from 0 to 1024", "run", "hello@1", "--threads", "100000")]
    [InlineData(2, "LUT2000", "from 0 to 1000000", "run", "hello@1", "--checkpoint-minutes", "1e308")]
    [InlineData(2, "LUT2000", "from 0 to 1000000", "run", "hello@1", "--checkpoint-minutes", "-5")]
    [InlineData(2, "LUT2000", "from 0.001 to 86400", "bench", "tiny", "--seconds", "1e300")]
    [InlineData(2, "LUT2464", "there is no folder", "ls", "-o", "/nowhere")]
    [InlineData(6, "LUT6100", "cannot read", "verify", "/nowhere/x.safetensors")]
    public void ItIsNoBug(int exit, string id, string says, params string[] words)
    {
        var r = Lut.Run(words is ["run", ..] ? [.. words, "-o", folder.Path] : words);
        Assert.True(
            r.Exit == exit
                && r.Error.Contains(id, StringComparison.Ordinal)
                && r.Error.Contains(says, StringComparison.Ordinal),
            r.Exit + r.Error
        );
    }

    /// <summary>Nested deeper than the parser's limit, by lists and by tables in a line.</summary>
    [Theory]
    [InlineData("[", "]")]
    [InlineData("{a = ", "}")]
    public void ATomlFileThatIsNestedDeeplyIsRefused(string open, string close)
    {
        foreach (int depth in new[] { 100, 200_000 })
        {
            string file = folder["deep.toml"];
            File.WriteAllText(
                file,
                "x = "
                    + string.Concat(Enumerable.Repeat(open, depth))
                    + "1"
                    + string.Concat(Enumerable.Repeat(close, depth))
                    + "\n"
            );
            foreach (
                string[] words in new[] { new[] { "plan", file }, ["nightly", "--suite", file, "-o", folder["nights"]] }
            )
            {
                var r = Lut.Started(words);
                Assert.True(r.Exit == 2 && r.Error.Contains("LUT2466", StringComparison.Ordinal), r.Error);
            }
        }
    }

    /// <summary>Root may read and write everything: what is a folder, or lies under a file, nobody can.</summary>
    [Fact]
    public void FilesThatCannotBeReadOrWrittenAreNamed()
    {
        string run = hello.Of("run");
        string under = Path.Combine(folder["file"], "x");
        File.WriteAllText(folder["file"], "");
        Directory.CreateDirectory(folder["a.safetensors"]);
        foreach (
            var (words, named) in new (string[], string)[]
            {
                (["verify", run, "--write-reference", under], under),
                (["verify", run, "--reference", folder.Path], folder.Path),
                (["verify", folder["a.safetensors"]], "a.safetensors"),
                (["compare", run, run, "-o", under], under),
                (["export", run, "-o", under], under),
                (["report", run, "-o", under], under),
                (["analyze", run, "--images", "2", "-o", under], under),
                (["baseline", "list", "--baseline", under], ""),
                (["bench", "tiny", "--launches", "1", "--blocks", "1", "--seconds", "0.01", "-o", under], under),
                (["run", "hello@1", "-q", "-o", under], under),
            }
        )
        {
            var r = words[0] == "bench" ? Lut.Started(words) : Lut.Run(words); // a launch starts the program again
            Assert.True(r.Exit is 9 or 2 or 6 or 8, $"{string.Join(' ', words)}: exit {r.Exit}\n{r.Error}");
            Assert.DoesNotContain("a bug in lut", r.Error);
            Assert.Contains(named, r.Error);
        }
    }

    /// <summary>
    /// Fine-tuning of weights from outside: the commands that `compare` prints bring the difference back, with the
    /// weights.
    /// </summary>
    [Fact]
    public void ReplayAndTraceKnowWeightsFromOutside()
    {
        hello.CopyTo(folder["p"], "pretrain");
        string file = Directory
            .GetFiles(folder["p"], "pretrain-*.safetensors", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Last();
        // below the working directory a run records where the file is; of others their name alone
        string weights = Path.GetRelativePath(folder.Path, file);
        Lut.Result Run(params string[] words) => Lut.RunIn(folder.Path, [], words);
        Assert.Equal(0, Run("finetune", "hello@1", "-q", "-o", folder["a"], "--checkpoint", weights).Exit);
        Assert.Equal(
            0,
            Run(
                "finetune",
                "hello@1",
                "-q",
                "-o",
                folder["b"],
                "--checkpoint",
                weights,
                "--inject",
                "step=2,stage=finetune,tensor=blocks.0.mlp.fc1.weight,bit=12"
            ).Exit
        );
        string a = Directory.GetDirectories(folder["a"]).Single();
        string b = Directory.GetDirectories(folder["b"]).Single();
        string[] replay =
        [
            .. Run("compare", a, b)
                .Out.Split('\n')
                .Where(l => l.StartsWith("replay: lut ", StringComparison.Ordinal))
                .Select(l => l["replay: lut ".Length..].Split("   (")[0]),
        ];
        Assert.Equal(2, replay.Length);
        Assert.All(replay, l => Assert.Contains("--checkpoint " + weights, l));
        var trace = Run(replay[0].Split(' '));
        Assert.True(
            trace.Exit == 3
                && trace.LastLine.Contains("trace=B stage=finetune step=2 explained=yes", StringComparison.Ordinal),
            trace.Out + trace.Error
        );
        var again = Run([.. replay[1].Split(' '), "-q", "-o", folder["r"]]);
        Assert.True(again.Exit == 0, again.Error);
        var without = Run("trace", a, b);
        string c = folder["c"]; // started, for the command line that it records; not below the weights
        Assert.Equal(
            0,
            Lut.Started(
                "finetune",
                "hello@1",
                "-q",
                "-o",
                c,
                "--checkpoint",
                file,
                "--inject",
                "step=1,stage=finetune,tensor=blocks.0.mlp.fc1.weight,bit=12"
            ).Exit
        );
        Assert.Contains(
            "--checkpoint PATH/TO/" + Path.GetFileName(file),
            Run("compare", Directory.GetDirectories(c).Single(), a).Out
        );
        Assert.True(
            without.Exit == 2
                && without.Error.Contains("lut trace A B --checkpoint " + weights, StringComparison.Ordinal),
            without.Error
        );
    }

    /// <summary>A launch of the benchmark fails: its own error and id, its exit code, and nothing glued.</summary>
    [Fact]
    public void AFailedLaunchIsToldByItself()
    {
        var r = Lut.Started("bench", "tiny", "--launches", "1", "--device", "cpu", "--memory", "keep", "--batch", "3");
        var own = Lut.Started(
            "bench",
            "tiny",
            "--launches",
            "0",
            "--device",
            "cpu",
            "--memory",
            "keep",
            "--batch",
            "3"
        );
        Assert.Equal(own.Exit, r.Exit);
        Assert.Equal(own.Error.Split('\n')[0], r.Error.Split('\n')[0]);
    }
}
