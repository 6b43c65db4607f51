namespace LutNative.Results.Tests;

public class ClaimTests
{
    /// <summary>Quantiles from printed tables of Student's t.</summary>
    [Theory]
    [InlineData(1, 0.975, 12.706)]
    [InlineData(2, 0.975, 4.303)]
    [InlineData(3, 0.975, 3.182)]
    [InlineData(4, 0.95, 2.132)]
    [InlineData(5, 0.95, 2.015)]
    [InlineData(9, 0.975, 2.262)]
    [InlineData(10, 0.975, 2.228)]
    [InlineData(30, 0.975, 2.042)]
    [InlineData(120, 0.95, 1.658)]
    public void QuantilesAreThoseOfTheTables(int k, double p, double expected) =>
        Assert.Equal(expected, ClaimCheck.StudentT(k, p), 1e-3 * expected / 2);

    [Theory]
    [InlineData(new[] { 84.2, 84.1 }, 84.2, 1, 0.1, ClaimVerdict.Underpowered)]
    [InlineData(new[] { 84.18, 84.22, 84.21, 84.15, 84.19 }, 84.2, 1, 0.1, ClaimVerdict.Reproduced)]
    [InlineData(new[] { 84.0, 84.3, 84.5 }, 84.2, 1, 0.1, ClaimVerdict.Consistent)]
    [InlineData(new[] { 83.60, 83.62, 83.64, 83.61 }, 84.2, 1, 0.1, ClaimVerdict.NotReproduced)]
    [InlineData(new[] { 84.80, 84.82, 84.84, 84.81 }, 84.2, 1, 0.1, ClaimVerdict.Exceeds)]
    [InlineData(new[] { 83.57, 83.60, 83.51, 83.62, 83.58 }, 83.5675, 4, 0.001, ClaimVerdict.Reproduced)]
    public void VerdictsFollowPredictionAndEquivalence(
        double[] ours,
        double reported,
        int runs,
        double precision,
        ClaimVerdict verdict
    ) => Assert.Equal(verdict, ClaimCheck.Run(ours, reported, runs, precision, 0.15).Verdict);

    /// <summary>The printed digit's half width counts: 84.15 is 84.2 as printed.</summary>
    [Fact]
    public void RoundingOfTheReportedValueIsAllowedFor()
    {
        Assert.Equal(
            ClaimVerdict.Reproduced,
            ClaimCheck.Run([84.150, 84.151, 84.149, 84.150], 84.2, 1, 0.1, 0.15).Verdict
        );
        Assert.Equal(
            ClaimVerdict.NotReproduced,
            ClaimCheck.Run([84.140, 84.141, 84.139, 84.140], 84.2, 1, 0.1, 0.15).Verdict
        );
    }
}
