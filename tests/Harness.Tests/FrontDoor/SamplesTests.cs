using LutNative.Harness.Tests.Cli;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>The samples do what their READMEs say, and print what is printed there.</summary>
public sealed class SamplesTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "samples");

    private static string[] Names => [.. Directory.GetDirectories(Folder).Select(f => Path.GetFileName(f)!).Order()];

    public static TheoryData<string> Samples => [.. Names];

    [Theory]
    [MemberData(nameof(Samples))]
    public void ItPrintsWhatItsReadmeSays(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "written for a POSIX shell");
        using var folder = new TemporaryFolder();
        var commands = Page.Commands(File.ReadAllText(Path.Combine(Folder, name, "README.md")));
        Assert.Contains(commands, c => c.Line.Contains($"--project samples/{name} ", StringComparison.Ordinal));
        foreach (var (line, printed) in commands)
        {
            var r = Page.Run(line, folder.Path);
            Assert.True(r.Exit == 0, $"{line}: exit {r.Exit}\n{r.All}");
            Assert.Equal(Page.Comparable(printed, folder.Path), Page.Comparable(r.Out, folder.Path));
        }
    }

    /// <summary>Short enough to be read at once.</summary>
    [Theory]
    [MemberData(nameof(Samples))]
    public void ItIsShort(string name)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Folder, name), "*.cs"))
            Assert.True(File.ReadLines(file).Count() <= 60, file);
        Assert.Contains($"({name}/README.md)", File.ReadAllText(Path.Combine(Folder, "README.md")));
    }
}
