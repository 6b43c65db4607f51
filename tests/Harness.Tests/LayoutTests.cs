namespace LutNative.Harness.Tests;

/// <summary>What no formatter can hold: lengths of lines and of files, in the product and in its tests.</summary>
public class LayoutTests
{
    private const int Width = 120;
    private const int Longest = 160;

    private sealed record Source(string Name, string[] Lines, bool[] Free)
    {
        internal static Source Read(string path)
        {
            string[] lines = File.ReadAllLines(path);
            return new(Path.GetRelativePath(Repository.Root, path), lines, Exempt(lines));
        }

        /// <summary>Raw strings, whose text is what a user sees, and what is laid out as a table.</summary>
        private static bool[] Exempt(string[] lines)
        {
            bool[] free = new bool[lines.Length];
            bool raw = false;
            bool table = false;
            for (int i = 0; i < lines.Length; i++)
            {
                string line = lines[i];
                table |= line.Contains("csharpier-ignore-start", StringComparison.Ordinal);
                bool quotes = (line.Split("\"\"\"").Length - 1) % 2 == 1;
                free[i] = raw || table || quotes;
                raw ^= quotes;
                table &= !line.Contains("csharpier-ignore-end", StringComparison.Ordinal);
            }
            return free;
        }

        internal IEnumerable<string> LinesOver(int width) =>
            from i in Enumerable.Range(0, Lines.Length)
            where !Free[i] && Lines[i].Length > width
            select $"{Name}:{i + 1}: {Lines[i].Length} columns";
    }

    private static readonly Source[] Sources =
    [
        .. new[] { "harness", "model", "results", "interop", "tests", "samples" }
            .Select(folder => Path.Combine(Repository.Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split('/', '\\').Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal)
            .Select(Source.Read),
    ];

    [Fact]
    public void HardlyALineIsOver120Columns()
    {
        string[] wide = [.. Sources.SelectMany(s => s.LinesOver(Width))];
        int all = Sources.Sum(s => s.Lines.Length);
        Assert.True(wide.Length < 0.005 * all, $"{wide.Length} of {all}:\n{string.Join('\n', wide)}");
    }

    [Fact]
    public void NoLineIsOver160Columns() => Assert.Empty(Sources.SelectMany(s => s.LinesOver(Longest)));

    [Fact]
    public void FilesAreShort()
    {
        int[] lengths = [.. Sources.Select(s => s.Lines.Length).Order()];
        Assert.InRange(lengths[lengths.Length / 2], 1, 129);
        Assert.Empty(Sources.Where(s => s.Lines.Length > 500).Select(s => $"{s.Name}: {s.Lines.Length} lines"));
    }
}
