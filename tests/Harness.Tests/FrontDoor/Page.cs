using System.Text.RegularExpressions;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>A page's commands, as its reader would type them.</summary>
internal static partial class Page
{
    /// <summary>A command, and what the page says that it prints ("" where it says nothing).</summary>
    internal sealed record Command(string Line, string Printed);

    [GeneratedRegex("(?ms)^```console\r?\n(.*?)^```")]
    private static partial Regex ConsoleBlock();

    [GeneratedRegex(@"_s(\d+)_[0-9a-f]{8}")]
    private static partial Regex RunName();

    /// <summary>Lines that begin with "$ " in blocks of the kind console, each with the lines below it.</summary>
    internal static List<Command> Commands(string page)
    {
        List<Command> commands = [];
        foreach (Match block in ConsoleBlock().Matches(page))
        foreach (string part in ("\n" + block.Groups[1].Value).Split("\n$ ")[1..])
        {
            string[] lines = part.TrimEnd('\n').Split('\n');
            commands.Add(new Command(lines[0], string.Join('\n', lines[1..])));
        }
        return commands;
    }

    /// <summary>
    /// Runs a command in the repository's root, but with out/ in another folder and with what has been built already:
    /// a test may not build under the other tests.
    /// </summary>
    internal static Bash.Result Run(string line, string outFolder)
    {
        string lut = Path.Combine(AppContext.BaseDirectory, "lut.dll");
        string here = line.Replace("./build.sh lut ", $"dotnet '{lut}' ", StringComparison.Ordinal)
            .Replace("dotnet run -c Release ", "dotnet run --no-build -c Release ", StringComparison.Ordinal)
            .Replace(" out/", $" {outFolder}/out/", StringComparison.Ordinal);
        return Bash.Run(here);
    }

    /// <summary>Without what is a run's own or this test's: the end of a run's name, the folder that was put in.</summary>
    internal static string Comparable(string printed, string outFolder) =>
        RunName()
            .Replace(printed.Replace(outFolder + "/", "", StringComparison.Ordinal), "_s$1_")
            .Replace("\r", "", StringComparison.Ordinal)
            .TrimEnd('\n');
}
