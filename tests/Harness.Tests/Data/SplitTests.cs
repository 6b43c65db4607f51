using LutNative.Harness.Errors;
using LutNative.Harness.Images;

namespace LutNative.Harness.Tests.Data;

/// <summary>A shard belongs to one split, by a word of its name.</summary>
public sealed class SplitTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("train-000.tar", "train")]
    [InlineData("imagenet_train_00.tar", "train")]
    [InlineData("imagenet1k-validation-03.tar", "val")]
    [InlineData("VAL7.tar", "val")]
    [InlineData("interval-train.tar", "train")]
    [InlineData("test-0.tar", "val")]
    public void AWordOfTheNameDecides(string file, string split)
    {
        Put(file);
        foreach (string asked in new[] { "train", "val" })
            if (asked == split)
                Assert.Single(DataSets.Container(folder.Path, asked).Places);
            else
                Assert.Equal("LUT6014", Assert.Throws<LutError>(() => DataSets.Container(folder.Path, asked)).Id);
    }

    [Theory]
    [InlineData("interval.tar")]
    [InlineData("constrained.tar")]
    [InlineData("shard-0.tar")]
    public void ANameWithoutTheWordIsNamedAndNotUsed(string file)
    {
        Put(file);
        var e = Assert.Throws<LutError>(() => DataSets.Container(folder.Path, "train"));
        Assert.True(e.Id == "LUT6014" && e.Message.Contains("first " + file), e.Message);
    }

    [Theory]
    [InlineData("trainval-000.tar")]
    [InlineData("val-train-000.tar")]
    [InlineData("train_test.tar")]
    public void AShardOfTwoSplitsIsRefused(string file)
    {
        Put(file);
        Put("train-1.tar");
        foreach (string split in new[] { "train", "val" })
        {
            var e = Assert.Throws<LutError>(() => DataSets.Container(folder.Path, split));
            Assert.True(e.Id == "LUT6445" && e.Message.Contains(file) && e.Message.Contains("train's"), e.Message);
        }
    }

    [Fact]
    public void AShardOfAnotherSplitInASplitsFolderIsRefused()
    {
        Put(Path.Combine("train", "0.tar"));
        Assert.Single(DataSets.Container(folder.Path, "train").Places);
        Put(Path.Combine("train", "val-0.tar"));
        Assert.Equal("LUT6445", Assert.Throws<LutError>(() => DataSets.Container(folder.Path, "train")).Id);
    }

    /// <summary>A folder with both: the better name serves, the other is another split.</summary>
    [Fact]
    public void TestImagesServeOnlyWhereThereIsNoValidation()
    {
        Put("validation-0.tar");
        Put("test-0.tar");
        Assert.Equal("validation-0.tar", Assert.Single(DataSets.Container(folder.Path, "val").Places).Place);
    }

    private void Put(string file)
    {
        byte[] shard = Trials.Bytes("06-one-shard-in-both-splits", "trainval-000.tar");
        // the first two entries (an image of 867 bytes and a label) and the end
        Trials.Put(folder[file], [.. shard[..(512 + 1024 + 512 + 512)], .. new byte[1024]]);
    }
}
