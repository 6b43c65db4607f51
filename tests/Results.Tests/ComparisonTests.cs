namespace LutNative.Results.Tests;

/// <summary>
/// Comparison and verification find what is planted, where it is planted, and nothing where nothing is.
/// </summary>
public sealed class ComparisonTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A run's rows, before they are written.</summary>
    private sealed record Made(List<StepRow> Steps, List<DigestRow> Digests, List<EvalRow> Evals);

    private RunStore Run(string name, Action<Made>? change = null, string mathHash = "aa", int steps = 6)
    {
        var store = RunStore.Create(folder[name]);
        var id = new RunId(name);
        var made = new Made([], [], []);
        for (long s = 0; s < steps; s++)
        {
            made.Steps.Add(
                new StepRow
                {
                    RunId = id,
                    Stage = "pretrain",
                    Step = s,
                    Epoch = 0,
                    ImagesSeen = (s + 1) * 8,
                    Lr = 0.1,
                    LrBits = Bits64.Of(0.1),
                    Loss = 1.5f,
                    LossBits = Bits32.Of(1.5f),
                    LossRecon = null,
                    LossReconBits = null,
                    LossContext = null,
                    LossContextBits = null,
                    GradNorm = 2f,
                    GradNormBits = Bits32.Of(2f),
                    BatchIdsDigest = new DigestBytes([1, (byte)s]),
                    StateDigest = new DigestBytes([9, (byte)s]),
                    StepNs = 5 + s,
                    DataNs = 0,
                    ViewsDigest = new DigestBytes([4, (byte)s]),
                    MaskDigest = new DigestBytes([5, (byte)s]),
                }
            );
            for (int t = 0; t < 3; t++)
                made.Digests.Add(
                    new DigestRow
                    {
                        RunId = id,
                        Stage = "pretrain",
                        Step = s,
                        Ordinal = t,
                        Tensor = $"student/blocks.{t}.weight",
                        Shape = "4x4",
                        Digest = new DigestBytes([(byte)t, (byte)s]),
                    }
                );
        }
        made.Evals.Add(
            new EvalRow
            {
                RunId = id,
                Metric = "knn_top1",
                Split = "test",
                Correct = 7,
                N = 10,
                Value = 70.0,
                PredictionsDigest = new DigestBytes([3]),
                WallNs = 1,
            }
        );
        var run = Samples.Row(Schema.Run) with
        {
            MathHash = mathHash,
            Contract = "exact-1",
            DataHash = "dd",
            Protocol = "p@1",
        };
        change?.Invoke(made);
        store.Commit(
            [
                new Table<StepRow>(made.Steps),
                new Table<DigestRow>(made.Digests),
                new Table<EvalRow>(made.Evals),
                new Table<RunRow>([run]),
            ],
            new Dictionary<string, string>()
        );
        store.WriteManifest();
        return store;
    }

    private static void Change(List<DigestRow> digests, int row, byte to) =>
        digests[row] = digests[row] with { Digest = new DigestBytes([to]) };

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
            made =>
            {
                Change(made.Digests, 3 * 4 + 1, 99);
                Change(made.Digests, 3 * 5, 98);
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
            made => made.Steps[2] = made.Steps[2] with { LossBits = new Bits32(Bits32.Of(1.5f).Value + 1) }
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
            made =>
            {
                var other = new DigestBytes([66]);
                made.Steps[3] = column switch
                {
                    "batch_ids_digest" => made.Steps[3] with { BatchIdsDigest = other },
                    "views_digest" => made.Steps[3] with { ViewsDigest = other },
                    _ => made.Steps[3] with { MaskDigest = other },
                };
                for (int s = 3; s < 6; s++)
                    made.Steps[s] = made.Steps[s] with { LossBits = new Bits32(7) };
                for (int r = 9; r < 18; r++)
                    Change(made.Digests, r, 67);
                made.Evals[0] = made.Evals[0] with { Correct = 8 };
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
            made =>
            {
                for (int s = 0; s < made.Steps.Count; s++)
                    made.Steps[s] = made.Steps[s] with { ViewsDigest = null, MaskDigest = null };
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

    /// <summary>
    /// Rows in another order, in other parts, and some that only one side has: pairs are found by key, and the first
    /// difference is the first in the order of execution.
    /// </summary>
    [Fact]
    public void RowsAreComparedWhateverTheirOrder()
    {
        var b = Run(
            "b",
            made =>
            {
                Change(made.Digests, 3 * 4 + 1, 99);
                Change(made.Digests, 3 * 2 + 2, 98);
                made.Digests.RemoveAt(5);
                made.Digests.Reverse();
                made.Steps.Reverse();
            }
        );
        foreach (var (x, y) in new[] { (Run("a"), b), (b, Run("a2")) })
        {
            var report = Comparison.Exact(x, y);
            Assert.Equal(ExactVerdict.Diverged, report.Verdict);
            Assert.Contains("step=2 tensor=student/blocks.2.weight digest: ", report.First);
            Assert.Equal(17, report.Compared["digests"]);
            Assert.Contains("steps: 6 rows compared, 0 differ, 0 only in A, 0 only in B", report.Details);
            string only = x == b ? "0 only in A, 1 only in B" : "1 only in A, 0 only in B";
            Assert.Contains($"digests: 17 rows compared, 2 differ, {only}", report.Details);
        }
    }

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
        var c = Run("c", made => Change(made.Digests, 3 * 5 + 2, 77));
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
            Assert.Equal(part, store.Commit([Samples.Event(part)], new Dictionary<string, string>()));
        }
        store.DropPartsAfter(1);
        Assert.Equal([0L, 1L], store.Read(Schema.Events).Rows.Select(r => r.TNs));
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
