using System.Text.RegularExpressions;
using LutNative.Harness.Experiments;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Tests.Cli;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Tests.Stages;

/// <summary>There is one list of stages, and what the bit contract says of them is what the code draws with.</summary>
public sealed partial class StageCatalogTests
{
    [Fact]
    public void TheCatalogHasEveryStageInItsOrder()
    {
        Assert.Equal(StageId.All, StageCatalog.Default.All.Select(s => s.Id));
        Assert.Equal(StageId.Trained, StageCatalog.Default.Trained);
    }

    [Fact]
    public void NoWordAndNoNameIsUsedTwice()
    {
        Assert.Equal(StageId.All.Count, StageId.All.Select(s => s.Word).Distinct().Count());
        Assert.Equal(StageId.All.Count, StageId.All.Select(s => s.Name).Distinct().Count());
        Assert.All(StageId.All, s => Assert.Same(s, StageId.Find(s.Name)));
        Assert.Null(StageId.Find("Pretrain"));
    }

    /// <summary>docs/NUMERICS.md has each stage with its word and the numbers of its views.</summary>
    [Fact]
    public void TheContractTellsEveryWordAndView()
    {
        uint[] Views(StageId s) =>
            s == StageId.Pretrain ? [ViewNumber.Weak, ViewNumber.Strong]
            : s == StageId.Linprobe ? [ViewNumber.Linprobe]
            : s == StageId.Finetune || s == StageId.Scratch ? [ViewNumber.Supervised(s)]
            : [];
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "NUMERICS.md"));
        var told = Row()
            .Matches(page)
            .Select(m => (m.Groups[1].Value, m.Groups[2].Value, string.Join(' ', Number().Matches(m.Groups[3].Value))));
        var used = StageId
            .All.OrderBy(s => s.Word)
            .Select(s => (s.Name, FormattableString.Invariant($"{s.Word}"), string.Join(' ', Views(s))));
        Assert.Equal(used, told);
        uint[] all = [.. StageId.All.SelectMany(Views)];
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    /// <summary>
    /// A stage's name is written once, in StageId. Protocols have sections of the same names, but those are read by
    /// their records' properties and told as "section.key", which is another word.
    /// </summary>
    [Theory]
    [InlineData("harness")]
    [InlineData("results")]
    public void NoStageIsNamedByALiteral(string folder)
    {
        var literal = new Regex($"\"({string.Join('|', StageId.All.Select(s => s.Name))})(_top[15])?\"");
        var found =
            from file in Directory.EnumerateFiles(
                Path.Combine(Repository.Root, folder),
                "*.cs",
                SearchOption.AllDirectories
            )
            where !file.Split(Path.DirectorySeparatorChar).Any(d => d is "obj" or "bin")
            where Path.GetFileName(file) != "StageId.cs"
            from line in File.ReadLines(file)
            where literal.IsMatch(line) && !line.TrimStart().StartsWith("///", StringComparison.Ordinal)
            select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(found);
    }

    /// <summary>What a stage says of itself before it runs.</summary>
    [Fact]
    public void AProtocolSaysWhichStagesItHas()
    {
        var hello = ProtocolReader.Load("hello@1", []).Spec;
        StagePresence In(StageId id, ProtocolSpec p) => StageCatalog.Default[id].In(p);
        Assert.Equal(StagePresence.Absent, In(StageId.Linprobe, hello with { Linprobe = null }));
        Assert.Equal(StagePresence.Off, In(StageId.Scratch, hello with { Baselines = new(true, Scratch: false) }));
        Assert.Equal(StagePresence.Off, In(StageId.Raw, hello with { Baselines = new(RawPixels: false, true) }));
        var untuned = hello with { Finetune = hello.Finetune with { Epochs = 0 } };
        Assert.Equal(StagePresence.Off, In(StageId.Finetune, untuned));
        Assert.Equal(StagePresence.Off, In(StageId.Scratch, untuned));
        Assert.Equal(StagePresence.On, In(StageId.Pretrain, hello));
        var exec = new ExecOptions(1, 0, 0, TimeSpan.MaxValue);
        var memory = new StageMemory(hello, Cpu.Best(), exec);
        Assert.All(
            StageCatalog.Default.All.Where(s => s.In(hello) == StagePresence.On),
            s => Assert.All(s.Moments(memory), m => Assert.True(m.On(Cpu.Best()) > 1 << 16, s.Id.Name))
        );
    }

    /// <summary>As many steps as a stage says are in the tables of a whole run.</summary>
    [Fact]
    public void AStageRecordsTheStepsThatItSays()
    {
        using var folder = new TemporaryFolder();
        var protocol = ProtocolReader.Load("hello@1", []);
        var exec = new ExecOptions(2, 0, 0, TimeSpan.FromMinutes(1));
        var request = new RunRequest(protocol, exec, Cpu.Best(), folder.Path, null, null, StageId.All, null, true, []);
        var steps = Runner.Run(request, default).Read(Schema.Steps);
        var recorded = steps.Rows.CountBy(r => r.Stage);
        var said = StageCatalog
            .Default.All.Where(s => s.Trains && s.In(protocol.Spec) == StagePresence.On)
            .Select(s => KeyValuePair.Create(s.Id.Name, (int)s.Steps(protocol.Spec)));
        Assert.Equal(said, recorded);
    }

    [Fact]
    public void TheBenchMeasuresPretrainingAndFinetuning() =>
        Assert.Equal([StageId.Pretrain, StageId.Finetune], StageCatalog.Default.Benched.Select(s => s.Id));

    [GeneratedRegex(@"^\| (\w+) \| (\d+) \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}
