using System.Diagnostics;

namespace LutNative.Results.Tests;

/// <summary>
/// The manifest is exactly the folder: whatever differs is a named finding, never a crash, and nothing outside of the
/// folder is opened.
/// </summary>
public sealed class ManifestTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly RunStore run;
    private readonly string manifest;

    public ManifestTests()
    {
        run = RunStore.Create(folder["run"]);
        run.Commit([Samples.Fill(Schema.Events, 3)], new Dictionary<string, string>());
        Directory.CreateDirectory(Path.Combine(run.Folder, "checkpoints"));
        File.WriteAllText(Path.Combine(run.Folder, "checkpoints", "pretrain.safetensors"), "weights");
        run.WriteManifest();
        manifest = Path.Combine(run.Folder, RunStore.ManifestName);
    }

    public void Dispose() => folder.Dispose();

    private string In(string name) => Path.Combine(run.Folder, name);

    private string Only(string finding)
    {
        string one = Assert.Single(run.Damage());
        Assert.Contains(finding, one);
        return one;
    }

    [Fact]
    public void AWholeFolderHasNoFinding() => Assert.Empty(run.Damage());

    [Fact]
    public void AnEmptyManifestVouchesForNothing()
    {
        File.WriteAllText(manifest, "");
        Assert.Equal(
            [
                "MANIFEST.sha256 is empty",
                "checkpoints/pretrain.safetensors is not in MANIFEST.sha256: it was added after the run ended",
                "events-00000.parquet is not in MANIFEST.sha256: it was added after the run ended",
            ],
            run.Damage()
        );
    }

    [Theory]
    [InlineData("../outside", "leads elsewhere")]
    [InlineData("../../etc/hostname", "leads elsewhere")]
    [InlineData("checkpoints/../../outside", "leads elsewhere")]
    [InlineData("./events-00000.parquet", "leads elsewhere")]
    [InlineData("checkpoints//pretrain.safetensors", "leads elsewhere")]
    [InlineData("/etc/hostname", "is absolute")]
    [InlineData("..\\outside", "has a backslash")]
    [InlineData("a\u001b[31mb", "has a control character")]
    [InlineData("COMPLETE", "is not one that a manifest covers")]
    [InlineData("not there", "not there is missing")]
    public void ANameThatLeadsElsewhereIsNamed(string name, string finding)
    {
        File.WriteAllText(folder["outside"], "x");
        File.AppendAllText(manifest, $"{RunStore.Sha256(folder["outside"])}  {name}\n");
        Assert.DoesNotContain('\u001b', Only(finding));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("abc  events-00000.parquet")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF  x")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef x")]
    public void AMalformedLineIsNamed(string line)
    {
        File.AppendAllText(manifest, line + "\n");
        Only("malformed line 3");
    }

    [Fact]
    public void ALineThatComesTwiceIsNamed()
    {
        File.AppendAllText(manifest, File.ReadAllLines(manifest)[0] + "\n");
        Only("names checkpoints/pretrain.safetensors twice");
    }

    [Theory]
    [InlineData("extra.txt")]
    [InlineData("checkpoints/extra.safetensors")]
    [InlineData("steps-00000.parquet.tmp")]
    [InlineData("checkpoints/LOCK")]
    public void AnAddedFileIsNamed(string name)
    {
        File.WriteAllText(In(name), "");
        Only($"{name} is not in MANIFEST.sha256");
    }

    [Theory]
    [InlineData("LOCK")]
    [InlineData(".steps-00001.parquet.0123456789abcdef.tmp")]
    [InlineData("checkpoints/.x.0123456789abcdef.tmp")]
    public void LocksAndWhatADeadWriterLeftAreNoFinding(string name)
    {
        File.WriteAllText(In(name), "");
        Assert.Empty(run.Damage());
    }

    [Fact]
    public void AMissingFileAndAChangedOneAreNamed()
    {
        File.Delete(In("events-00000.parquet"));
        File.AppendAllText(In("checkpoints/pretrain.safetensors"), "!");
        Assert.Equal(
            [
                "checkpoints/pretrain.safetensors has changed since the run ended (its SHA-256 differs "
                    + "from the manifest)",
                "events-00000.parquet is missing",
            ],
            run.Damage()
        );
    }

    [Fact]
    public void WithoutItsEndARunIsNotWhole()
    {
        File.Delete(In(RunStore.CompleteName));
        Only("COMPLETE is missing");
        File.Delete(manifest);
        Assert.Equal(2, run.Damage().Count);
        Assert.NotEmpty(new RunStore(folder["nowhere"]).Damage());
    }

    /// <summary>
    /// The same bytes outside of the folder are not the folder's: a link is a finding, to a file, to a folder, to
    /// nothing, to itself.
    /// </summary>
    [Fact]
    public void LinksAreFindings()
    {
        File.Move(In("events-00000.parquet"), folder["outside"]);
        File.CreateSymbolicLink(In("events-00000.parquet"), folder["outside"]);
        Only("events-00000.parquet is a link");
        File.CreateSymbolicLink(In("loop"), In("loop"));
        Directory.CreateSymbolicLink(In("up"), folder.Path);
        Assert.Equal(
            ["events-00000.parquet is a link: the file itself is not in the folder", "loop is a link", "up is a link"],
            run.Damage()
        );
        Assert.Throws<ResultsException>(run.WriteManifest);
    }

    [Fact]
    public void APipeIsAFindingAndIsNotWaitedFor()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("pipes have no names in folders");
        File.Delete(In("events-00000.parquet"));
        Process.Start("mkfifo", In("events-00000.parquet")).WaitForExit();
        Only("events-00000.parquet cannot be read");
    }

    /// <summary>
    /// A night's folder holds whole runs: their own manifests are covered, and those of nights before 1.3, which left
    /// them out, stay whole.
    /// </summary>
    [Fact]
    public void RunsInsideAreCovered()
    {
        new RunStore(folder.Path).WriteManifest();
        Assert.Contains("run/COMPLETE", File.ReadAllText(folder[RunStore.ManifestName]));
        Assert.Empty(new RunStore(folder.Path).Damage());
        string[] older =
        [
            .. File.ReadAllLines(folder[RunStore.ManifestName])
                .Where(l =>
                    !l.EndsWith("run/COMPLETE", StringComparison.Ordinal)
                    && !l.EndsWith("run/MANIFEST.sha256", StringComparison.Ordinal)
                ),
        ];
        File.WriteAllLines(folder[RunStore.ManifestName], older);
        Assert.Empty(new RunStore(folder.Path).Damage());
    }

    /// <summary>Resuming with --resume removed a data set's shard: its name ends in a number too.</summary>
    [Fact]
    public void OnlyPartsOfOurTablesAreEverDropped()
    {
        string[] others =
        [
            "train-00000-of-00003.parquet",
            "steps-extra-00007.parquet",
            "steps-7.parquet",
            "steps-000007.parquet",
            "mine-00007.parquet",
        ];
        foreach (string name in others)
            File.WriteAllText(In(name), "somebody's");
        Assert.Equal(0, run.LastPart());
        run.DropPartsAfter(-1);
        Assert.All(others, name => Assert.True(File.Exists(In(name)), name));
        Assert.False(File.Exists(In("events-00000.parquet")));
        Assert.Empty(run.Read(Schema.Steps).Rows);
    }

    [Fact]
    public void PartsAreInTheOrderOfTheirNumbers()
    {
        foreach (int part in new[] { 99_999, 100_000, 100_001 })
        {
            TableFile.Write(In($"events-{part:d5}.parquet"), Samples.Event(part), new Dictionary<string, string>());
        }
        Assert.Equal([99_999L, 100_000L, 100_001L], run.Read(Schema.Events).Rows.Skip(3).Select(r => r.TNs));
        Assert.Equal(100_001, run.LastPart());
    }
}
