using System.Text.RegularExpressions;
using LutNative.Harness.Tests.Cli;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>
/// Every command of CONTRIBUTING.md is run, or parsed where it is too long for a test or would change the checkout.
/// </summary>
public sealed class ContributingTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md"));

    /// <summary>Commands that are not run here, and why.</summary>
    private static readonly Dictionary<string, string> ParsedOnly = new()
    {
        ["./build.sh test"] = "this test is a part of it",
        ["./build.sh coverage"] = "it builds, and runs every test again",
        ["./build.sh coverage Interop"] = "it builds, and changes assemblies while it runs",
        ["./build.sh format"] = "it changes the checkout",
        ["./build.sh format --check"] = ".ci/run runs it before the tests",
        ["./build.sh ptx"] = "NativeTests compile the kernels, where there is a compiler",
        ["./build.sh gpu-check cuda:emulated"] = "GpuCheckTests run the script",
        ["dotnet run -c Release --project tests/Interop.Tests -- --filter-class '*EmulatorTests'"] =
            "the tests of another project",
    };

    private static readonly string[] Lines = [.. Page.Commands(Text).Select(c => c.Line)];

    public static TheoryData<string> Run => [.. Lines.Where(c => !ParsedOnly.ContainsKey(c))];

    public static TheoryData<string> Parsed => [.. Lines.Where(ParsedOnly.ContainsKey)];

    /// <summary>In a repository of its own, with the parts of ours that commands of git speak of.</summary>
    [Theory]
    [MemberData(nameof(Run))]
    public void ItRuns(string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "written for a POSIX shell");
        using var folder = new TemporaryFolder();
        Bash.Result r;
        if (command.StartsWith("git ", StringComparison.Ordinal))
        {
            Checkout(folder.Path);
            r = Bash.Run(command, folder.Path);
        }
        else
            r = Page.Run(command, folder.Path);
        Assert.True(r.Exit == 0, $"exit {r.Exit}\n{r.All}");
        if (command.Contains("hello@1", StringComparison.Ordinal))
            Assert.Contains("VERDICT exact=IDENTICAL", r.Out);
    }

    [Theory]
    [MemberData(nameof(Parsed))]
    public void ItParses(string command) => Assert.Null(Problem(command));

    [Theory]
    [InlineData("./build.sh tset", "no verb tset")]
    [InlineData("./build.sh coverage Interops", "no tests of Interops")]
    [InlineData("dotnet run -c Release --project tests/Interop.Test -- --filter-class '*X'", "no project")]
    [InlineData("dotnet run -c Release --project tests/Interop.Tests -- --filter-class '*EmulatedTests'", "no class")]
    public void AWrongCommandIsSeen(string command, string told) => Assert.Contains(told, Problem(command));

    /// <summary>What is not run any more needs no excuse.</summary>
    [Fact]
    public void NothingIsExcusedInVain() => Assert.Empty(ParsedOnly.Keys.Except(Lines));

    /// <summary>The hook that the page installs refuses what the formatter would change, and nothing else.</summary>
    [Fact]
    public void TheHookRefusesWhatIsNotLaidOut()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "written for a POSIX shell");
        using var folder = new TemporaryFolder();
        Checkout(folder.Path);
        string commit = "git add A.cs && git -c user.name=a -c user.email=a@b -c commit.gpgsign=false commit -qm a";
        File.WriteAllText(folder["A.cs"], "internal   sealed class A{}\n");
        Assert.Equal(0, Bash.Run("git config core.hooksPath .githooks", folder.Path).Exit);
        var refused = Bash.Run(commit, folder.Path);
        Assert.NotEqual(0, refused.Exit);
        Assert.Contains("./build.sh format", refused.Error);
        File.WriteAllText(folder["A.cs"], "internal sealed class A { }\n");
        var taken = Bash.Run(commit, folder.Path);
        Assert.True(taken.Exit == 0, taken.All);
    }

    /// <summary>What the page promises of layout, subjects and proof stands in it.</summary>
    [Fact]
    public void ThePageSaysWhatAChangeMustShow()
    {
        foreach (
            string part in new[] { "## Build and test", "## Style", "## What a change must show", "72 characters" }
        )
            Assert.Contains(part, Text);
        Assert.All(Text.Split('\n'), line => Assert.True(line.Length <= 120, line));
    }

    /// <summary>A new repository with our hooks, tools and layout.</summary>
    private static void Checkout(string folder)
    {
        var r = Bash.Run(
            $"git init -q '{folder}' && cp -r .githooks .config .editorconfig .git-blame-ignore-revs '{folder}'"
        );
        Assert.True(r.Exit == 0, r.All);
    }

    /// <summary>Why a command cannot work, or null.</summary>
    private static string? Problem(string command)
    {
        string[] words = [.. Regex.Matches(command, @"'([^']*)'|(\S+)").Select(m => m.Value.Trim('\''))];
        if (words[0] == "./build.sh")
        {
            foreach (var (script, verb) in new[] { ("build.sh", $"\n  {words[1]})"), ("build.sh", $"\n  {words[1]} ") })
                if (!File.ReadAllText(Path.Combine(Repository.Root, script)).Contains(verb, StringComparison.Ordinal))
                    return $"{script} has no verb {words[1]}";
            string? project = words[1] == "coverage" ? words.ElementAtOrDefault(2) : null;
            return project is null || Directory.Exists(Path.Combine(Repository.Root, "tests", $"{project}.Tests"))
                ? null
                : $"there are no tests of {project}";
        }
        string folder = Path.Combine(Repository.Root, words[Array.IndexOf(words, "--project") + 1]);
        if (!Directory.Exists(folder))
            return $"no project {folder}";
        string name = words[Array.IndexOf(words, "--filter-class") + 1].TrimStart('*');
        return File.Exists(Path.Combine(folder, $"{name}.cs")) ? null : $"no class {name} in {folder}";
    }
}
