using DuckDB.NET.Data;

namespace LutNative.Results.Tests;

/// <summary>The SQL of README.md, taken from it, as DuckDB runs it on runs with planted faults.</summary>
public sealed class ReadmeQueryTests : IDisposable
{
    private const string Begin = "```sql\n";
    private const string End = "```";
    private static readonly string[] Stages = ["pretrain", "finetune", "scratch"];
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <param name="Loss">The loss differs; otherwise the state alone.</param>
    private sealed record Fault(string Stage, long Step, bool Loss);

    private static string[] Statements()
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        int at = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        return text[at..text.IndexOf(End, at, StringComparison.Ordinal)]
            .Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private List<object?[]> Ask(string sql)
    {
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText = sql.Replace("'runs/", $"'{folder.Path}/runs/", StringComparison.Ordinal)
            .Replace("'bench/", $"'{folder.Path}/bench/", StringComparison.Ordinal);
        using var reader = command.ExecuteReader();
        var rows = new List<object?[]>();
        while (reader.Read())
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetValue)]);
        return rows;
    }

    /// <summary>
    /// Ten steps of each stage; the state is recorded after every second one. From a fault on everything after it in
    /// its stage differs, as it would.
    /// </summary>
    private void Run(string name, params Fault[] faults)
    {
        var steps = new Table<StepRow>();
        var digests = new Table<DigestRow>();
        var id = new RunId("x");
        var some = Samples.Row(Schema.Steps);
        foreach (string stage in Stages.Reverse()) // parts are not in the order of execution by themselves
            for (long step = 0; step < 10; step++)
            {
                bool loss = faults.Any(f => f.Stage == stage && f.Loss && step >= f.Step);
                bool state = faults.Any(f => f.Stage == stage && step >= f.Step);
                var digest = new DigestBytes([(byte)step, state ? (byte)1 : (byte)0]);
                steps.Add(
                    some with
                    {
                        RunId = id,
                        Stage = stage,
                        Step = step,
                        LossBits = new Bits32(loss ? 7u : 3u),
                        StateDigest = step % 2 == 0 ? digest : null,
                    }
                );
                if (step % 2 == 0)
                    foreach (var (tensor, ordinal) in new[] { ("cls_token", 0), ("pos_embed", 1), ("norm.weight", 2) })
                        digests.Add(
                            new DigestRow
                            {
                                RunId = id,
                                Stage = stage,
                                Step = step,
                                Ordinal = ordinal,
                                Tensor = tensor,
                                Shape = "1x2",
                                Digest = ordinal == 0 ? new DigestBytes([9]) : digest,
                            }
                        );
            }
        RunStore.Create(folder[$"runs/{name}"]).Commit([steps, digests], new Dictionary<string, string>());
    }

    private static readonly Dictionary<string, (Fault[] Faults, string? First, string? Tensors)> Planted = new()
    {
        ["a loss at step 7 of pre-training"] = (
            [new("pretrain", 7, true)],
            "pretrain 7 True False",
            "pretrain 8 pos_embed norm.weight"
        ),
        ["a state alone"] = ([new("pretrain", 4, false)], "pretrain 4 False True", "pretrain 4 pos_embed norm.weight"),
        ["fine-tuning alone"] = (
            [new("finetune", 0, true)],
            "finetune 0 True True",
            "finetune 0 pos_embed norm.weight"
        ),
        ["pre-training late, fine-tuning early"] = (
            [new("pretrain", 9, true), new("finetune", 0, true), new("scratch", 0, true)],
            "pretrain 9 True False",
            "finetune 0 pos_embed norm.weight"
        ),
        ["nothing"] = ([], null, null),
    };

    public static TheoryData<string> Faults => [.. Planted.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public void TheFirstDifferenceIsFound(string name)
    {
        var (faults, first, tensors) = Planted[name];
        Run("A");
        Run("B", faults);
        static string? Text(List<object?[]> rows) =>
            rows.Count == 0
                ? null
                : string.Join(
                    ' ',
                    rows.Single()
                        .Select(v =>
                            v is System.Collections.IEnumerable list and not string
                                ? string.Join(' ', list.Cast<object>())
                                : v
                        )
                );
        Assert.Equal(first, Text(Ask(Statements()[0])));
        Assert.Equal(tensors, Text(Ask(Statements()[1])));
    }

    /// <summary>A run that ended early differs where it ended.</summary>
    [Fact]
    public void AMissingStepIsADifference()
    {
        Run("A");
        Run("B");
        var all = new RunStore(folder["runs/B"]).Read(Schema.Steps);
        var some = new Table<StepRow>(all.Rows.Where(r => r.Stage == "pretrain" && r.Step < 6));
        File.Delete(Directory.GetFiles(folder["runs/B"], "steps-*.parquet").Single());
        new RunStore(folder["runs/B"]).Commit([some], new Dictionary<string, string>());
        Assert.Equal(["pretrain", 6L], Ask(Statements()[0]).Single().Take(2));
    }

    [Fact]
    public void EveryStatementRuns()
    {
        foreach (string run in new[] { "A", "B" })
            RunStore
                .Create(folder[$"runs/{run}"])
                .Commit(
                    [.. Schema.All.Select(s => Samples.Fill(s, 5))],
                    new Dictionary<string, string> { ["lut.run_id"] = run }
                );
        RunStore
            .Create(folder["bench/a"])
            .Commit([Samples.Fill(Schema.Throughput, 5)], new Dictionary<string, string>());
        Assert.True(Statements().Length >= 7);
        foreach (string sql in Statements())
            if (Record.Exception(() => Ask(sql)) is { } e)
                Assert.Fail($"{sql}: {e}");
    }
}
