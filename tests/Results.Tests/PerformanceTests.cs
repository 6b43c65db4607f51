namespace LutNative.Results.Tests;

public class PerformanceTests
{
    /// <summary>launches x 4 blocks around a rate: a launch has its own luck, a block less.</summary>
    private static List<ThroughputRow> Bench(
        double rate,
        int launches,
        double noise,
        int seed,
        string shape = "tiny",
        string digest = "d",
        double load = 0.0,
        string? id = null
    )
    {
        var rows = new List<ThroughputRow>();
        var random = new Random(seed);
        double Normal() =>
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        for (int l = 0; l < launches; l++)
        {
            double luck = Math.Exp(noise * Normal());
            for (int b = 0; b < 4; b++)
                rows.Add(
                    new ThroughputRow
                    {
                        RunId = new RunId(id ?? $"id {seed} {shape}"),
                        AtUtc = DateTime.UtcNow,
                        Shape = shape,
                        Stage = "pretrain",
                        Method = "lut",
                        Batch = 64,
                        Contract = "exact-1",
                        Device = "cpu-512",
                        Machine = "cpu",
                        Threads = 2,
                        Launch = l,
                        Block = b,
                        ImagesPerSecond = rate * luck * Math.Exp(noise / 3 * Normal()),
                        FlopsPerImage = 1e9,
                        FmaFlops = 1e11,
                        JoulesPerImage = null,
                        NSteps = 10,
                        StateDigest = digest,
                        LutVersion = "v",
                        StepNsP50 = 1,
                        StepNsP90 = 1,
                        StepNsP99 = 1,
                        StepNsMax = 1,
                        DataWait = 0.0,
                        PeakFlops = 1e11,
                        PeakSource = "measured",
                        OtherLoad = load,
                        ClockMhz = 2600.0,
                        Slowdown = "",
                        WarmupSteps = 5,
                        HwKey = "key",
                        CheckDigest = digest,
                    }
                );
        }
        return rows;
    }

    private static PerformanceRow One(List<ThroughputRow> a, List<ThroughputRow> b, double band = 0.03) =>
        Assert.Single(Performance.Compare(a, b, _ => band));

    [Theory]
    [InlineData(1.00, 0.004, PerformanceVerdict.Same)]
    [InlineData(0.90, 0.005, PerformanceVerdict.Slower)]
    [InlineData(1.12, 0.005, PerformanceVerdict.Faster)]
    [InlineData(1.03, 0.02, PerformanceVerdict.Undecided)]
    public void AShiftIsToldFromNoise(double shift, double noise, PerformanceVerdict expected)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            var r = One(Bench(100, 6, noise, 2 * seed), Bench(100 * shift, 6, noise, 2 * seed + 1));
            Assert.Equal(expected, r.Verdict);
            Assert.InRange(r.Ratio, r.Low, r.High);
        }
    }

    /// <summary>No false alarm among equal pairs: the band is three times a launch's own spread.</summary>
    [Fact]
    public void EqualPairsAreNeverCalledFasterOrSlower()
    {
        for (int seed = 0; seed < 20; seed++)
            Assert.True(
                One(Bench(50, 5, 0.01, 100 + seed), Bench(50, 5, 0.01, 200 + seed)).Verdict
                    is PerformanceVerdict.Same
                        or PerformanceVerdict.Undecided
            );
    }

    /// <summary>
    /// Blocks measured in turns: a machine that swings by a fifth between launches still tells one build from another.
    /// </summary>
    [Theory]
    [InlineData(1.0, PerformanceVerdict.Same)]
    [InlineData(0.9, PerformanceVerdict.Slower)]
    public void PairsInTurnsCancelTheMachinesDrift(double shift, PerformanceVerdict expected)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            var a = Bench(100, 5, 0.2, seed, id: "pair");
            var random = new Random(seed);
            List<ThroughputRow> b =
            [
                .. a.Select(r =>
                    r with
                    {
                        ImagesPerSecond = r.ImagesPerSecond * shift * (1 + 0.01 * (random.NextDouble() - 0.5)),
                    }
                ),
            ];
            Assert.Equal(expected, One(a, b).Verdict);
        }
    }

    [Fact]
    public void OtherWorkIsNotCompared()
    {
        Assert.All(
            Performance.Compare(Bench(1, 3, 0, 0), Bench(1, 3, 0, 0, shape: "vitb16"), _ => 0.03),
            r => Assert.Equal(PerformanceVerdict.Incomparable, r.Verdict)
        );
        Assert.Contains(One(Bench(1, 3, 0, 0), Bench(2, 3, 0, 0, digest: "e")).Why, w => w.Contains("other work"));
        Assert.Contains(One(Bench(1, 2, 0, 0), Bench(2, 3, 0, 0)).Why, w => w.Contains("launches"));
    }

    [Fact]
    public void ABusyMachineIsUnfitAndOneThatJumpsIsUnstable()
    {
        Assert.Equal(PerformanceVerdict.Unfit, One(Bench(100, 5, 0.005, 0), Bench(80, 5, 0.005, 1, load: 0.9)).Verdict);
        Assert.Equal(PerformanceVerdict.Unstable, One(Bench(100, 5, 0.005, 0), Bench(80, 5, 0.4, 1)).Verdict);
    }

    /// <summary>
    /// Twenty benchmarks at once, one of them slower: Holm's correction keeps the nineteen quiet and does not hide the
    /// one.
    /// </summary>
    [Fact]
    public void AmongManyRowsOnlyTheSlowOneIsSlower()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var a = new List<ThroughputRow>();
            var b = new List<ThroughputRow>();
            for (int i = 0; i < 20; i++)
            {
                a.AddRange(Bench(100, 6, 0.01, 1000 * seed + 2 * i, $"shape{i}"));
                b.AddRange(Bench(i == 7 ? 88 : 100, 6, 0.01, 1000 * seed + 2 * i + 1, $"shape{i}"));
            }
            var rows = Performance.Compare(a, b, _ => 0.02);
            Assert.StartsWith(
                "shape7 ",
                Assert.Single(rows, r => r.Verdict is PerformanceVerdict.Slower or PerformanceVerdict.Faster).Key
            );
        }
    }

    [Theory]
    [InlineData(0.002)]
    [InlineData(0.02)]
    public void TheBandFollowsTheLaunchesSpread(double noise) =>
        Assert.InRange(
            Performance.BandOf(Bench(100, 40, noise, 3)),
            Math.Max(0.005, noise / 3),
            Math.Max(0.005, noise * 1.5)
        );
}
