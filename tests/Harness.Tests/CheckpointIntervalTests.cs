using LutNative.Harness.Training;

namespace LutNative.Harness.Tests;

public sealed class CheckpointIntervalTests
{
    [Theory]
    [InlineData(0, 60)] // the first
    [InlineData(0.01, 60)] // small states: every minute
    [InlineData(0.6, 60)]
    [InlineData(2, 200)] // one hundredth of the time
    [InlineData(18, 1800)]
    [InlineData(600, 1800)] // never more than half an hour
    [InlineData(1e9, 1800)]
    public void AtMostOneHundredthOfTheTimeGoesIntoCheckpoints(double lastSave, double expected) =>
        Assert.Equal(expected, CheckpointInterval.Parse(null)!.After(TimeSpan.FromSeconds(lastSave)).TotalSeconds, 6);

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(5)]
    [InlineData(525_600)]
    public void WhatWasAskedForHolds(double minutes) =>
        Assert.Equal(minutes, CheckpointInterval.Parse(minutes)!.After(TimeSpan.FromHours(1)).TotalMinutes, 6);

    [Theory]
    [InlineData(-1)]
    [InlineData(1e308)]
    [InlineData(525_601)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void WhatIsNoTimeIsRefused(double minutes) => Assert.Null(CheckpointInterval.Parse(minutes));
}
