using YamlDotNet.RepresentationModel;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>What lies in .github, as far as it can be tried without GitHub.</summary>
public sealed class WorkflowTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, ".github");
    private static readonly string Ci = File.ReadAllText(Path.Combine(Folder, "workflows", "ci.yml"));

    public static TheoryData<string> Workflows =>
        [.. Directory.GetFiles(Path.Combine(Folder, "workflows")).Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Workflows))]
    public void ItIsSound(string name) =>
        Assert.Empty(Workflow.Problems(File.ReadAllText(Path.Combine(Folder, "workflows", name))));

    /// <summary>The same check, held against a copy with a mistake.</summary>
    [Theory]
    [InlineData("jobs:", "jobs", "no YAML")]
    [InlineData("contents: read", "contents: write", "permissions")]
    [InlineData("  group: ci-", "  grope: ci-", "concurrency")]
    [InlineData("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", "not pinned")]
    [InlineData("shell: bash", "shell: pwsh", "shell")]
    [InlineData("timeout-minutes: 90", "timeout-minutes: 360", "timeout-minutes")]
    [InlineData("./build.sh test", "./build.sh tests", "no verb tests")]
    [InlineData("[ \"$status\" = 5 ]", "if [ \"$status\" = 5 ]", "syntax error")]
    [InlineData("matrix.system", "matrix.os", "matrix.os")]
    [InlineData("\"$DEVICE\\\"\"", "\"${{ matrix.device }}\\\"\"", "by env")]
    public void APlantedMistakeIsSeen(string from, string to, string told)
    {
        Assert.Contains(from, Ci);
        Assert.Contains(Workflow.Problems(Ci.Replace(from, to)), p => p.Contains(told, StringComparison.Ordinal));
    }

    /// <summary>Systems and switches that a result may not depend on.</summary>
    [Fact]
    public void EverySystemAndEveryWidthIsTried()
    {
        var jobs = (YamlMappingNode)Workflow.Load(Ci, out _)!["jobs"];
        string[] systems = [.. ((YamlSequenceNode)jobs["test"]["strategy"]["matrix"]["system"]).Select(s => $"{s}")];
        Assert.Contains(systems, s => s.StartsWith("ubuntu", StringComparison.Ordinal) && !s.EndsWith("arm"));
        Assert.Contains(systems, s => s.StartsWith("ubuntu", StringComparison.Ordinal) && s.EndsWith("arm"));
        Assert.Contains(systems, s => s.StartsWith("windows", StringComparison.Ordinal));
        Assert.Contains(systems, s => s.StartsWith("macos", StringComparison.Ordinal));
        var widths = ((YamlSequenceNode)jobs["vectors"]["strategy"]["matrix"]["include"]).Cast<YamlMappingNode>();
        Assert.Equal(["0 0 cpu-256", "1 128 cpu-128"], widths.Select(w => $"{w["avx512"]} {w["bits"]} {w["device"]}"));
        var switches = ((YamlMappingNode)jobs["vectors"]["env"]).Children.Keys.Select(k => k.ToString());
        Assert.Equal(["DEVICE", "DOTNET_EnableAVX512", "DOTNET_PreferredVectorBitWidth"], switches.Order());
        Assert.Contains("DOTNET_EnableAVX2=0", Ci);
    }

    /// <summary>One commit for an action, here and in the nightly kit.</summary>
    [Fact]
    public void AnActionHasOnePin()
    {
        string nightly = File.ReadAllText(Path.Combine(Repository.Root, "ops", "github", "nightly.yml"));
        Assert.All(
            Workflow.Actions(Ci + nightly).Distinct().GroupBy(a => a.Split('@')[0]),
            pins => Assert.True(pins.Count() == 1, string.Join(" and ", pins))
        );
    }

    [Fact]
    public void ScriptsAreCleanShell()
    {
        if (!Bash.Has("shellcheck"))
            Assert.Skip("there is no shellcheck here");
        foreach (string script in Workflow.Scripts(Ci))
        {
            var r = Bash.Start("shellcheck", ["--shell=bash", "--severity=warning", "-"], script, null);
            Assert.True(r.Exit == 0, $"{script}\n{r.All}");
        }
    }

    [Theory]
    [InlineData("bits-differ.yml")]
    [InlineData("bug.yml")]
    [InlineData("feature.yml")]
    public void AnIssueTemplateIsAForm(string name)
    {
        string text = File.ReadAllText(Path.Combine(Folder, "ISSUE_TEMPLATE", name));
        var form = Workflow.Load(text, out string? why);
        Assert.True(form is not null, why);
        Assert.All(["name", "description", "body"], key => Assert.True(form.Children.ContainsKey(key), key));
        var fields = ((YamlSequenceNode)form["body"]).Cast<YamlMappingNode>().ToList();
        Assert.All(fields, f => Assert.Contains(f["type"].ToString(), new[] { "markdown", "textarea", "checkboxes" }));
        var asked = fields.Where(f => f["type"].ToString() != "markdown").ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, f => Assert.NotEmpty(f["attributes"]["label"].ToString()));
        Assert.Equal(asked.Count, asked.Select(f => f["id"].ToString()).Distinct().Count());
    }

    /// <summary>Packages and actions are both watched, where their files are.</summary>
    [Fact]
    public void DependabotWatchesWhatWeUse()
    {
        var d = Workflow.Load(File.ReadAllText(Path.Combine(Folder, "dependabot.yml")), out string? why);
        Assert.True(d is not null, why);
        Assert.Equal("2", d["version"].ToString());
        var updates = (YamlSequenceNode)d["updates"];
        Assert.Equal(["github-actions", "nuget"], updates.Select(u => u["package-ecosystem"].ToString()).Order());
        Assert.All(updates, u => Assert.Equal("/", u["directory"].ToString()));
        Assert.True(File.Exists(Path.Combine(Repository.Root, "Directory.Packages.props")));
    }

    /// <summary>What a change must show is asked for, in CONTRIBUTING.md's words.</summary>
    [Fact]
    public void ThePullRequestTemplateAsksForProof()
    {
        string text = File.ReadAllText(Path.Combine(Folder, "pull_request_template.md"));
        Assert.All(
            ["**Bits**", "**A test**", "**Speed**", "**Outputs**", "CONTRIBUTING.md", "./build.sh format --check"],
            word => Assert.Contains(word, text)
        );
    }
}
