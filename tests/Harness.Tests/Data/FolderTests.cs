using System.Runtime.InteropServices;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;

namespace LutNative.Harness.Tests.Data;

/// <summary>Folders as they are: nested, linked, with names and things that are no images.</summary>
public sealed class FolderTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void OrderIsTorchvisions()
    {
        foreach (
            string f in new[]
            {
                "n01/n01_0",
                "n01/n01_1",
                "n01/sub/x",
                "n01/sub-2/y",
                "n01/Z",
                "n01/sub/deep/w",
                "n01/tail",
                "n02/n02_0",
            }
        )
            Image(f + ".JPEG");
        Assert.Equal(
            [
                "n01/Z.JPEG",
                "n01/n01_0.JPEG",
                "n01/n01_1.JPEG",
                "n01/tail.JPEG",
                "n01/sub/x.JPEG",
                "n01/sub-2/y.JPEG",
                "n01/sub/deep/w.JPEG",
                "n02/n02_0.JPEG",
            ],
            Places()
        );
    }

    /// <summary>In UTF-16, .NET's own order, the pair of U+1F600 comes before U+FF5E.</summary>
    [Fact]
    public void OrderIsByCodePoints()
    {
        foreach (string name in new[] { "\U0001F600", "\uff5e", "z", "\u00e9" })
            Image($"{name}/1.jpg");
        var set = new ImageFolder(folder["train"]);
        Assert.Equal(["z", "\u00e9", "\uff5e", "\U0001F600"], set.Classes);
        Assert.Equal([0, 1, 2, 3], set.Places.Select(p => p.Label));
    }

    [Fact]
    public void LinksThatPointUpAreToldAndNotEntered()
    {
        Links();
        foreach (string f in new[] { "a/0", "a/1", "b/0", "b/1" })
            Image(f + ".jpg");
        Link("a/again", ".");
        Link("a/up", "..");
        Link("b/root", "/");
        Link("b/deeper", "../../train");
        var set = new ImageFolder(folder["train"]);
        Assert.Equal(["a/0.jpg", "a/1.jpg", "b/0.jpg", "b/1.jpg"], set.Places.Select(p => p.Place));
        Assert.Equal(4, set.Notes.Count(n => n.EndsWith("not entered", StringComparison.Ordinal)));
    }

    [Fact]
    public void LinksBetweenClassesEnd()
    {
        Links();
        foreach (string f in new[] { "a/0", "b/0", "c/0" })
            Image(f + ".jpg");
        foreach (string from in new[] { "a", "b", "c" })
        foreach (string to in new[] { "a", "b", "c" }.Where(t => t != from))
            Link($"{from}/to-{to}", "../" + to);
        var set = new ImageFolder(folder["train"]);
        // each class reaches each folder once
        Assert.Equal(9, set.Places.Count);
        Assert.Contains(set.Notes, n => n.EndsWith("its images have both labels", StringComparison.Ordinal));
    }

    [Fact]
    public void LinksToFilesAndToOtherFoldersAreFollowed()
    {
        Links();
        Image("a/0.jpg");
        Image("../elsewhere/1.jpg");
        Link("a/more", folder["elsewhere"]);
        Link("a/2.jpg", "0.jpg");
        Link("b", "a");
        var set = new ImageFolder(folder["train"]);
        Assert.Equal(
            ["a/0.jpg", "a/2.jpg", "a/more/1.jpg", "b/0.jpg", "b/2.jpg", "b/more/1.jpg"],
            set.Places.Select(p => p.Place)
        );
        Assert.Equal([0, 0, 0, 1, 1, 1], set.Places.Select(p => p.Label));
        Assert.Contains("b is the folder a again: its images have both labels", set.Notes);
    }

    [Theory]
    [InlineData("a pipe")]
    [InlineData("a device")]
    [InlineData("nothing")]
    public void WhatIsNoFileIsRefusedAtOnce(string what)
    {
        Links();
        Image("a/0.jpg");
        string path = Path.Combine(folder["train"], "a", "1.jpg");
        if (what == "a pipe")
            Assert.Equal(0, MakePipe(path, 0x1b6));
        else
            Link("a/1.jpg", what == "a device" ? "/dev/zero" : "gone.jpg");
        var e = Assert.Throws<LutError>(() => new ImageFolder(folder["train"]));
        Assert.True(e.Id == "LUT6442" && e.Message.Contains("1.jpg is " + what), e.Message);
    }

    [Theory]
    [InlineData("train-0.tar", "LUT6451")]
    [InlineData("train-0.parquet", "LUT6017")]
    [InlineData("train-images-idx3-ubyte", "LUT6002")]
    [InlineData("lut-index.train.tsv", "LUT6444")]
    public void APipeWhereAFileBelongsIsNotOpened(string name, string id)
    {
        Links();
        if (name.EndsWith("tsv", StringComparison.Ordinal))
            Image("a/0.jpg");
        Assert.Equal(0, MakePipe(folder[name], 0x1b6));
        Assert.Equal(id, Assert.Throws<LutError>(() => DataSets.Open(folder.Path, "train")).Id);
    }

    [Theory]
    [InlineData("caf\\xe9", "caf\\xe9 is not UTF-8")]
    [InlineData("ok/\\xe9t\\xe9.jpg", "\\xe9t\\xe9.jpg is not UTF-8")]
    public void ANameThatIsNotUtf8IsNamedByItsBytes(string name, string says)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere every name is Unicode");
        Image("ok/1.jpg");
        byte[] path =
        [
            .. System.Text.Encoding.UTF8.GetBytes(folder["train"] + "/"),
            .. System.Text.Encoding.Latin1.GetBytes(name.Replace("\\xe9", "\u00e9", StringComparison.Ordinal)),
            0,
        ];
        Assert.Equal(0, MakeFolder(path, 0x1ff));
        var e = Assert.Throws<LutError>(() => new ImageFolder(folder["train"]));
        Assert.Equal(0, RemoveFolder(path));
        Assert.True(e.Id == "LUT6440" && e.Message.Contains(says) && e.Message.Contains("convmv"), e.Message);
    }

    [Fact]
    public void AnUnreadableFolderIsTheDatasFault()
    {
        Links();
        Image("a/0.jpg");
        Link("a/circle", "circle");
        Assert.Equal("LUT6443", Assert.Throws<LutError>(() => new ImageFolder(folder["train"])).Id);
    }

    [Fact]
    public void WhatIsNotUsedIsTold()
    {
        foreach (string f in new[] { "a/0.jpg", "a/1.gif", "a/2.GIF", "a/notes.txt", "stray.png" })
            Image(f);
        Assert.Equal(
            ["1 images lie in no class's folder and are not used, first stray.png", "not used: 2 x .gif, 1 x .txt"],
            new ImageFolder(folder["train"]).Notes
        );
    }

    private string[] Places() => [.. new ImageFolder(folder["train"]).Places.Select(p => p.Place)];

    private void Image(string place) => Trials.Put(Path.Combine(folder["train"], place), Trials.Jpeg());

    private void Link(string place, string to) => File.CreateSymbolicLink(Path.Combine(folder["train"], place), to);

    private static void Links() => Assert.SkipWhen(OperatingSystem.IsWindows(), "links and pipes are Unix's");

    [DllImport("libc", EntryPoint = "mkfifo")]
    private static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    [DllImport("libc", EntryPoint = "mkdir")]
    private static extern int MakeFolder(byte[] path, uint mode);

    [DllImport("libc", EntryPoint = "rmdir")]
    private static extern int RemoveFolder(byte[] path);
}
