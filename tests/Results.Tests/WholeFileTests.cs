namespace LutNative.Results.Tests;

/// <summary>
/// A file is there whole, under its name, or not at all; what stood there before stays; no link is followed. A disk
/// that refuses: <see cref="RefusingDiskTests"/>.
/// </summary>
public sealed class WholeFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AFileIsReplacedWhole()
    {
        WholeFile.WriteText(folder["a.txt"], "one");
        WholeFile.WriteText(folder["a.txt"], "two");
        Assert.Equal("two", File.ReadAllText(folder["a.txt"]));
        Assert.Equal([folder["a.txt"]], Directory.GetFileSystemEntries(folder.Path));
    }

    /// <summary>Until it is kept, readers find the old file, and a temporary one by a name that they know.</summary>
    [Fact]
    public void UntilItIsKeptNothingHasChanged()
    {
        WholeFile.WriteText(folder["a.txt"], "old");
        using (var file = WholeFile.Begin(folder["a.txt"]))
        {
            file.Stream.Write("new"u8);
            file.Store();
            Assert.Equal("old", File.ReadAllText(folder["a.txt"]));
            Assert.True(WholeFile.IsTemporary(file.Temporary));
            Assert.Equal(folder.Path, Path.GetDirectoryName(file.Temporary));
        }
        Assert.Equal([folder["a.txt"]], Directory.GetFileSystemEntries(folder.Path));
        Assert.Equal("old", File.ReadAllText(folder["a.txt"]));
    }

    [Fact]
    public void AnErrorWhileWritingLeavesNothing()
    {
        Assert.Throws<InvalidOperationException>(() =>
            WholeFile.Write(
                folder["a.txt"],
                s =>
                {
                    s.Write(new byte[100_000]);
                    throw new InvalidOperationException();
                }
            )
        );
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void TemporaryNamesCannotBeGuessed()
    {
        var names = new HashSet<string>();
        for (int i = 0; i < 100; i++)
        {
            using var file = WholeFile.Begin(folder["steps-00000.parquet"]);
            Assert.True(names.Add(file.Temporary));
        }
    }

    /// <summary>A link in the file's place is replaced; what it points to stays as it is.</summary>
    [Fact]
    public void ALinkIsNotFollowed()
    {
        File.WriteAllText(folder["victim"], "precious");
        File.CreateSymbolicLink(folder["a.txt"], folder["victim"]);
        WholeFile.WriteText(folder["a.txt"], "new");
        Assert.Equal("precious", File.ReadAllText(folder["victim"]));
        Assert.Null(new FileInfo(folder["a.txt"]).LinkTarget);
        Assert.Equal("new", File.ReadAllText(folder["a.txt"]));
    }

    /// <summary>
    /// The old writer's temporary name was known: whoever put a link there had its target overwritten.
    /// </summary>
    [Fact]
    public void ATrapUnderTheOldTemporaryNameIsNotFollowed()
    {
        File.WriteAllText(folder["victim"], "precious");
        File.CreateSymbolicLink(folder["events-00000.parquet.tmp"], folder["victim"]);
        TableFile.Write(
            folder["events-00000.parquet"],
            Samples.Fill(Schema.Events, 2),
            new Dictionary<string, string>()
        );
        Assert.Equal("precious", File.ReadAllText(folder["victim"]));
    }

    [Theory]
    [InlineData(255)]
    [InlineData(240)]
    public void ALongNameFits(int length)
    {
        string name = new('x', length);
        WholeFile.WriteText(folder[name], "long");
        Assert.Equal("long", File.ReadAllText(folder[name]));
        WholeFile.WriteText(folder[string.Concat(Enumerable.Repeat("😀", 63))], "wide");
    }

    [Fact]
    public void AFolderThatIsAFileIsAnError()
    {
        File.WriteAllText(folder["file"], "");
        Assert.ThrowsAny<IOException>(() => WholeFile.WriteText(Path.Combine(folder["file"], "a.txt"), "x"));
        Assert.ThrowsAny<IOException>(() => WholeFile.StoreFolder(folder["nowhere"]));
    }

    [Theory]
    [InlineData(".steps-00000.parquet.0123456789abcdef.tmp", true)]
    [InlineData("/runs/a/.x.0123456789abcdef.tmp", true)]
    [InlineData("steps-00000.parquet.tmp", false)]
    [InlineData("x.0123456789abcdef.tmp", false)]
    [InlineData(".x.0123456789ABCDEF.tmp", false)]
    [InlineData(".x.0123456789abcde.tmp", false)]
    [InlineData(".0123456789abcdef.tmp", false)]
    public void OnlyItsOwnNamesAreTemporary(string name, bool temporary) =>
        Assert.Equal(temporary, WholeFile.IsTemporary(name));
}
