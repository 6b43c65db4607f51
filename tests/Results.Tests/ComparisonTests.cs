namespace LutNative.Results.Tests;

/// <summary>
/// Comparison and verification find what is planted, where it is planted, and nothing where nothing is.
/// </summary>
public sealed class ComparisonTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private RunStore Run(
        string name,
        Action<Table, Table, Table>? change = null,
        string mathHash = "aa",
        int steps = 6,
        int parts = 1
    )
    {
        var store = RunStore.Create(folder[name]);
        Table step = new(Schema.Steps);
        Table digest = new(Schema.Digests);
        Table eval = new(Schema.Evals);
        Table run = new(Schema.Run);
        for (long s = 0; s < steps; s++)
        {
            step.Add(
                name,
                "pretrain",
                s,
                0,
                (s + 1) * 8,
                0.1,
                BitConverter.DoubleToInt64Bits(0.1),
                1.5f,
                BitConverter.SingleToUInt32Bits(1.5f),
                null,
                null,
                null,
                null,
                2f,
                BitConverter.SingleToUInt32Bits(2f),
                new byte[] { 1, (byte)s },
                new byte[] { 9, (byte)s },
                5L + s,
                0L,
                new byte[] { 4, (byte)s },
                new byte[] { 5, (byte)s }
            );
            for (int t = 0; t < 3; t++)
                digest.Add(
                    name,
                    "pretrain",
                    s,
                    t,
                    $"student/blocks.{t}.weight",
                    "4x4",
                    new byte[] { (byte)t, (byte)s }
                );
        }
        eval.Add(name, "knn_top1", "test", 7L, 10L, 70.0, new byte[] { 3 }, 1L);
        run.Add([
            .. Schema.Run.Columns.Select(c =>
                c.Name switch
                {
                    "math_hash" => mathHash,
                    "contract" => "exact-1",
                    "data_hash" => "dd",
                    "protocol" => "p@1",
                    _ => Samples.Fill(Schema.Run, 1).Rows[0][Schema.Run.IndexOf(c.Name)],
                }
            ),
        ]);
        change?.Invoke(step, digest, eval);
        store.Commit([step, digest, eval, run], new Dictionary<string, string>());
        store.WriteManifest();
        return store;
    }

    [Fact]
    public void IdenticalRunsAreIdenticalWithCounts()
    {
        var report = Comparison.Exact(Run("a"), Run("b"));
        Assert.Equal(ExactVerdict.Identical, report.Verdict);
        Assert.Null(report.First);
        Assert.Equal((6, 18, 1), (report.Compared["steps"], report.Compared["digests"], report.Compared["evals"]));
    }

    [Fact]
    public void TheFirstDifferenceIsNamedByStepAndTensor()
    {
        var b = Run(
            "b",
            (_, digests, _) =>
            {
                digests.Rows[3 * 4 + 1][Schema.Digests.IndexOf("digest")] = new byte[] { 99 };
                digests.Rows[3 * 5][Schema.Digests.IndexOf("digest")] = new byte[] { 98 };
            }
        );
        var report = Comparison.Exact(Run("a"), b);
        Assert.Equal(ExactVerdict.Diverged, report.Verdict);
        Assert.Contains("step=4 tensor=student/blocks.1.weight", report.First);
        Assert.Contains(
            report.Details,
            d => d.StartsWith("digests: 18 rows compared, 2 differ", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void ALossIsReportedWithItsBits()
    {
        var b = Run(
            "b",
            (steps, _, _) =>
                steps.Rows[2][Schema.Steps.IndexOf("loss_bits")] = BitConverter.SingleToUInt32Bits(1.5f) + 1
        );
        Assert.Contains("step=2 loss_bits: 0x3fc00000 (1.5) is not 0x3fc00001", Comparison.Exact(Run("a"), b).First);
    }

    /// <summary>
    /// Cause before effect: what entered the step is named before the loss that follows from it, and the ladder has
    /// every rung.
    /// </summary>
    [Theory]
    [InlineData("batch_ids_digest", "data order")]
    [InlineData("views_digest", "pixels")]
    [InlineData("mask_digest", "masks")]
    public void TheLadderNamesTheGuiltyRung(string column, string rung)
    {
        var b = Run(
            "b",
            (steps, digests, evals) =>
            {
                steps.Rows[3][Schema.Steps.IndexOf(column)] = new byte[] { 66 };
                for (int s = 3; s < 6; s++)
                    steps.Rows[s][Schema.Steps.IndexOf("loss_bits")] = 7u;
                for (int r = 9; r < 18; r++)
                    digests.Rows[r][Schema.Digests.IndexOf("digest")] = new byte[] { 67 };
                evals.Rows[0][Schema.Evals.IndexOf("correct")] = 8L;
            }
        );
        var report = Comparison.Exact(Run("a"), b);
        Assert.Contains($"steps: stage=pretrain step=3 {column}", report.First);
        Assert.Equal(new FirstStep("pretrain", 3), report.At);
        Assert.Equal(rung, report.Ladder.First(r => r.Differ > 0).Name);
        Assert.Equal(
            [3, 9, 1],
            report.Ladder.Where(r => r.Name is "losses and norms" or "state" or "evaluations").Select(r => r.Differ)
        );
    }

    /// <summary>A run of schema 1.1 has no digests of pixels: what was not recorded does not differ.</summary>
    [Fact]
    public void WhatAnOlderVersionDidNotRecordDoesNotDiffer()
    {
        var b = Run(
            "b",
            (steps, _, _) =>
            {
                foreach (var r in steps.Rows)
                    r[Schema.Steps.IndexOf("views_digest")] = r[Schema.Steps.IndexOf("mask_digest")] = null;
            }
        );
        Assert.Equal(ExactVerdict.Identical, Comparison.Exact(Run("a"), b).Verdict);
    }

    [Fact]
    public void OtherProtocolValuesAreIncomparable()
    {
        var report = Comparison.Exact(Run("a"), Run("b", mathHash: "bb"));
        Assert.Equal(ExactVerdict.Incomparable, report.Verdict);
        Assert.Contains(report.Details, d => d.Contains("math_hash"));
    }

    [Fact]
    public void AShorterRunIsAPrefix() =>
        Assert.Equal(ExactVerdict.IdenticalPrefix, Comparison.Exact(Run("a"), Run("b", steps: 4)).Verdict);

    [Fact]
    public void AFlippedBitInAFileIsNamedByTheManifest()
    {
        var a = Run("a");
        Assert.Empty(a.Damage());
        string path = Directory.GetFiles(a.Folder, "digests-*.parquet")[0];
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 3] ^= 4;
        File.WriteAllBytes(path, bytes);
        Assert.Contains(Path.GetFileName(path), Assert.Single(a.Damage()));
    }

    [Fact]
    public void AReferenceFindsTheTensorThatDiffers()
    {
        string[] reference = Reference.Of(Run("a"));
        Assert.Equal(ExactVerdict.Identical, Reference.Compare(Run("b"), reference).Verdict);
        var c = Run(
            "c",
            (_, digests, _) => digests.Rows[3 * 5 + 2][Schema.Digests.IndexOf("digest")] = new byte[] { 77 }
        );
        var report = Reference.Compare(c, reference);
        Assert.Equal(ExactVerdict.Diverged, report.Verdict);
        Assert.Contains("tensor pretrain 5 student/blocks.2.weight", report.First);
        Assert.Equal(ExactVerdict.Incomparable, Reference.Compare(Run("d", mathHash: "ee"), reference).Verdict);
    }

    [Fact]
    public void PartsAfterACheckpointAreDroppedAndTheRestRemains()
    {
        var store = RunStore.Create(folder["parts"]);
        for (int part = 0; part < 4; part++)
        {
            var t = new Table(Schema.Events);
            t.Add("r", (long)part, "k", "s", null, "v");
            Assert.Equal(part, store.Commit([t], new Dictionary<string, string>()));
        }
        store.DropPartsAfter(1);
        Assert.Equal([0L, 1L], store.Read(Schema.Events).Rows.Select(r => (long)r[1]!));
    }

    /// <summary>Exact binomial tails from tables: 1 of 10 is 2 (1 + 10) / 1024.</summary>
    [Theory]
    [InlineData(0, 0, 1.0)]
    [InlineData(5, 5, 1.0)]
    [InlineData(1, 9, 0.021484375)]
    [InlineData(9, 1, 0.021484375)]
    [InlineData(0, 6, 0.03125)]
    public void McNemarsTestIsExact(int x, int y, double p) => Assert.Equal(p, Divergence.McNemar(x, y), 1e-12);
}
