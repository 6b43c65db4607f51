using LutNative.Results;

namespace LutNative.Results.Tests;

public class PerformanceTests
{
    /// <summary>launches x 4 blocks around a rate: a launch has its own luck, a block less.</summary>
    private static Table Bench(double rate, int launches, double noise, int seed, string shape = "tiny", string digest = "d")
    {
        var table = new Table(Schema.Throughput);
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        for (int l = 0; l < launches; l++)
        {
            double luck = Math.Exp(noise * Normal());
            for (int b = 0; b < 4; b++) table.Add("id", DateTime.UtcNow, shape, "pretrain", "lut", 64, "exact-1", "cpu-512", "cpu", 2, l, b, rate * luck * Math.Exp(noise / 3 * Normal()), 1e9, 1e11, null, 10L, digest, "v", 1L, 1L, 1L, 1L, 0.0, 1e11, "measured", 0.0, 2600.0, "", 5L, "key");
        }
        return table;
    }

    [Theory]
    [InlineData(1.00, 0.004, PerformanceVerdict.Same)]
    [InlineData(0.90, 0.005, PerformanceVerdict.Slower)]
    [InlineData(1.12, 0.005, PerformanceVerdict.Faster)]
    [InlineData(1.03, 0.02, PerformanceVerdict.Undecided)]
    public void AShiftIsToldFromNoise(double shift, double noise, PerformanceVerdict expected)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            var r = Performance.Compare(Bench(100, 6, noise, 2 * seed), Bench(100 * shift, 6, noise, 2 * seed + 1), 0.03);
            Assert.Equal(expected, r.Verdict);
            Assert.InRange(r.Ratio, r.Low, r.High);
        }
    }

    /// <summary>No false alarm among equal pairs: the band is three times a launch's own spread.</summary>
    [Fact]
    public void EqualPairsAreNeverCalledFasterOrSlower()
    {
        for (int seed = 0; seed < 20; seed++)
            Assert.True(Performance.Compare(Bench(50, 5, 0.01, 100 + seed), Bench(50, 5, 0.01, 200 + seed), 0.03).Verdict is PerformanceVerdict.Same or PerformanceVerdict.Undecided);
    }

    [Fact]
    public void OtherWorkIsNotCompared()
    {
        Assert.Equal(PerformanceVerdict.Incomparable, Performance.Compare(Bench(1, 3, 0, 0), Bench(1, 3, 0, 0, shape: "vitb16"), 0.03).Verdict);
        Assert.Contains(Performance.Compare(Bench(1, 3, 0, 0), Bench(2, 3, 0, 0, digest: "e"), 0.03).Why, w => w.Contains("other work"));
        Assert.Contains(Performance.Compare(Bench(1, 2, 0, 0), Bench(2, 3, 0, 0), 0.03).Why, w => w.Contains("launches"));
    }
}
