namespace LutNative.Results.Tests;

/// <summary>
/// A .digests file that cannot be used is an error with its name and the line, never a crash and never an agreement.
/// </summary>
public sealed class ReferenceTests : IDisposable
{
    private static readonly string Trials = Path.Combine(
        Repository.Root,
        "tests",
        "fixtures",
        "trials",
        "90-broken-files"
    );
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Committed =>
        [
            .. Directory
                .GetFiles(Path.Combine(Repository.Root, "results", "reference"))
                .Select(f => Path.GetFileName(f)!),
        ];

    [Theory]
    [MemberData(nameof(Committed))]
    public void TheCommittedOnesAreWhole(string name) =>
        Assert.Equal(
            Reference.Find(Path.GetFileNameWithoutExtension(name))!.Length - 1,
            Reference.Parse(Reference.Read(Path.Combine(Repository.Root, "results", "reference", name)), name).Count
        );

    [Theory]
    [InlineData("digests-duplicate.digests")]
    [InlineData("digests-duplicate-lf.digests")]
    public void ALineThatComesTwiceIsNamed(string name)
    {
        var e = Assert.Throws<ResultsException>(() => Reference.Read(Path.Combine(Trials, name)));
        Assert.Equal(StoreFault.Damaged, e.Fault);
        Assert.Matches($@"{name.Replace(".", @"\.")}:\d+$", e.Where);
    }

    [Theory]
    [InlineData("step pretrain 7 loss 3fb986e3", 9)]
    [InlineData("step pretrain 7 loss 3fb986e3 state 0d16XYZ", 9)]
    [InlineData("step pretrain -7 loss 3fb986e3 state 0d16", 9)]
    [InlineData("tensor pretrain 7  0d16 more", 9)]
    [InlineData("eval knn_top1 7 predictions 0d16", 9)]
    [InlineData("eval knn_top1 7/8/9 predictions 0d16", 9)]
    [InlineData("seed ", 9)]
    [InlineData("Step pretrain 7 loss 3fb986e3 state 0d16", 9)]
    [InlineData("\0\0\0", 9)]
    [InlineData("math_hash other", 9)]
    public void AMalformedLineIsNamed(string line, int number)
    {
        List<string> lines = [.. Whole, line];
        File.WriteAllLines(folder["x.digests"], lines);
        var e = Assert.Throws<ResultsException>(() => Reference.Read(folder["x.digests"]));
        Assert.EndsWith($"x.digests:{number}", e.Where);
        Assert.Contains($"line {number}", e.Why);
    }

    private static readonly string[] Whole =
    [
        "# lut reference 1",
        "protocol p@1",
        "contract exact-1",
        "math_hash aa",
        "data_hash dd",
        "seed 0",
        "step pretrain 0 loss 3fb986e3 state 0d16",
        "eval knn_top1 1/2 predictions 0d16",
    ];

    [Theory]
    [InlineData("contract")]
    [InlineData("math_hash")]
    [InlineData("data_hash")]
    public void WithoutItsHashesNothingIsCompared(string hash)
    {
        File.WriteAllLines(folder["x.digests"], Whole.Where(l => !l.StartsWith(hash, StringComparison.Ordinal)));
        var e = Assert.Throws<ResultsException>(() => Reference.Read(folder["x.digests"]));
        Assert.Contains($"has no line {hash}", e.Why);
    }

    /// <summary>With hashes alone every run would be IDENTICAL.</summary>
    [Fact]
    public void WithoutDigestsNothingIsIdentical()
    {
        File.WriteAllLines(folder["x.digests"], Whole[..6]);
        Assert.Contains(
            "has no digests",
            Assert.Throws<ResultsException>(() => Reference.Read(folder["x.digests"])).Why
        );
        File.WriteAllText(folder["empty.digests"], "");
        Assert.Throws<ResultsException>(() => Reference.Read(folder["empty.digests"]));
    }

    [Fact]
    public void AFileThatCannotBeReadIsNamed()
    {
        Assert.Equal(
            StoreFault.Missing,
            Assert.Throws<ResultsException>(() => Reference.Read(folder["nowhere.digests"])).Fault
        );
        Assert.Equal(StoreFault.Unreadable, Assert.Throws<ResultsException>(() => Reference.Read(folder.Path)).Fault);
    }

    [Fact]
    public void EndsOfLinesAndBlankLinesAreNoMatter()
    {
        File.WriteAllText(folder["x.digests"], string.Join("\r\n\r\n", Whole) + "\r\n");
        Assert.Equal(Whole.Length - 1, Reference.Parse(Reference.Read(folder["x.digests"]), "x").Count);
    }
}
