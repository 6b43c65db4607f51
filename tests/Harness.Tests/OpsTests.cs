using System.Diagnostics;
using LutNative.Harness.Tests.Cli;
using YamlDotNet.RepresentationModel;

namespace LutNative.Harness.Tests;

/// <summary>The nightly kit's files, as far as they can be tried without a runner, a cluster or a queue.</summary>
public sealed class OpsTests
{
    private static readonly string Ops = Path.Combine(Repository.Root, "ops");

    private static YamlMappingNode Load(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(Path.Combine(Ops, path))));
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    private static YamlNode At(YamlNode node, params object[] path) =>
        path.Aggregate(node, (n, key) => key is int i ? n[i] : n[(string)key]);

    private static (int Exit, string Out) Shell(
        string script,
        Dictionary<string, string>? environment = null,
        string? folder = null,
        string program = "bash",
        params string[] arguments
    )
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Repository.Root,
        };
        foreach (string a in arguments)
            start.ArgumentList.Add(a);
        foreach (var (k, v) in environment ?? [])
            start.Environment[k] = v;
        using var p = Process.Start(start)!;
        var error = p.StandardError.ReadToEndAsync();
        p.StandardInput.Write(script);
        p.StandardInput.Close();
        string output = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        return (p.ExitCode, output + error.Result);
    }

    /// <summary>
    /// Only a schedule or a person starts the workflow; actions are pinned by commit; it reads and does not write the
    /// repository; its scripts are shell, and its verbs and options are lut's.
    /// </summary>
    [Fact]
    public void TheWorkflowIsPinnedAndRunsOurVerbs()
    {
        var w = Load("github/nightly.yml");
        Assert.Equal(
            ["schedule", "workflow_dispatch"],
            ((YamlMappingNode)w["on"]).Children.Keys.Select(k => k.ToString())
        );
        Assert.Equal("read", At(w, "permissions", "contents").ToString());
        var steps = (YamlSequenceNode)At(w, "jobs", "nightly", "steps");
        Assert.Equal("bash", At(w, "defaults", "run", "shell").ToString()); // GitHub runs it with -eo pipefail
        foreach (var step in steps.Cast<YamlMappingNode>())
            if (step.Children.TryGetValue("uses", out var uses))
                Assert.Matches("^[a-z-]+/[a-z-]+@[0-9a-f]{40}$", uses.ToString());
            else
            {
                var (exit, output) = Shell(step["run"].ToString(), arguments: "-n");
                Assert.True(exit == 0, output);
                Known(step["run"].ToString());
            }
        foreach (string script in new[] { "slurm/nightly.sbatch", "slurm/lut.sbatch" })
            Known(File.ReadAllText(Path.Combine(Ops, script)));
    }

    [Fact]
    public void TheCronJobNeverRetriesAndKnowsTheExitCodes()
    {
        var c = Load("kubernetes/nightly.yaml");
        Assert.Equal(("CronJob", "Forbid"), (c["kind"].ToString(), At(c, "spec", "concurrencyPolicy").ToString()));
        var job = At(c, "spec", "jobTemplate", "spec");
        Assert.Equal("0", At(job, "backoffLimit").ToString());
        var rules = ((YamlSequenceNode)At(job, "podFailurePolicy", "rules")).ToDictionary(
            r => r["action"].ToString(),
            r => string.Join(" ", (YamlSequenceNode)At(r, "onExitCodes", "values"))
        );
        Assert.Equal(("5 75", "3 7"), (rules["Ignore"], rules["FailJob"]));
        var pod = At(job, "template", "spec");
        Assert.Equal(
            ("Never", "false"),
            (At(pod, "restartPolicy").ToString(), At(pod, "automountServiceAccountToken").ToString())
        );
        var container = At(pod, "containers", 0);
        Assert.Equal(
            At(container, "resources", "requests").ToString(),
            At(container, "resources", "limits").ToString()
        ); // guaranteed class
        string script = At(container, "args", 0).ToString();
        Assert.Equal(0, Shell(script, arguments: "-n").Exit);
        Known(script);
        // the server's own check, where a kubectl can reach one
        if (Shell("", program: "bash", arguments: ["-c", "kubectl version --request-timeout=2s"]).Exit == 0)
            Assert.Equal(
                0,
                Shell(
                    "",
                    arguments:
                    [
                        "-c",
                        $"kubectl create --dry-run=server -f {Path.Combine(Ops, "kubernetes", "nightly.yaml")}",
                    ]
                ).Exit
            );
    }

    /// <summary>
    /// A run that ends with 75 goes back into the queue; any other code is the job's; TERM reaches lut, which may take
    /// its time.
    /// </summary>
    [Theory]
    [InlineData("exit 75", 0, "requeue 17", false)]
    [InlineData("exit 3", 3, "", false)]
    [InlineData("exit 0", 0, "", false)]
    [InlineData("trap 'sleep 0.5; exit 75' TERM; touch ready; while :; do sleep 0.1; done", 0, "requeue 17", true)]
    public void TheSlurmScriptRequeuesOn75(string lut, int exit, string asked, bool terminate)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["bin"]);
        void Program(string name, string text)
        {
            File.WriteAllText(Path.Combine(folder["bin"], name), "#!/usr/bin/env bash\n" + text + "\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(
                    Path.Combine(folder["bin"], name),
                    UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite
                );
        }
        Program("lut", $"echo \"$@\" > asked-of-lut; {lut}");
        Program("scontrol", "echo \"$@\" > asked-of-scontrol");
        Directory.CreateDirectory(Path.Combine(folder["runs"], "seed-2", "run"));
        File.WriteAllText(Path.Combine(folder["runs"], "seed-2", "run", "config.resolved.toml"), "");
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = folder["bin"] + ":" + Environment.GetEnvironmentVariable("PATH"),
            ["SLURM_JOB_ID"] = "17",
            ["SLURM_ARRAY_TASK_ID"] = "2",
        };
        string script = Path.Combine(Ops, "slurm", "lut.sbatch");
        var result = terminate
            ? Shell(
                "",
                environment,
                folder.Path,
                "bash",
                "-c",
                $"{script} hello@1 & while [ ! -e ready ]; do sleep 0.05; done; kill -TERM $!; wait $!"
            )
            : Shell("", environment, folder.Path, script, "hello@1");
        Assert.True(result.Exit == exit, result.Out);
        Assert.Equal(
            asked,
            File.Exists(folder["asked-of-scontrol"]) ? File.ReadAllText(folder["asked-of-scontrol"]).Trim() : ""
        );
        Assert.Equal(
            "run hello@1 --seed 2 --output runs/seed-2 --resume auto",
            File.ReadAllText(folder["asked-of-lut"]).Trim()
        );
    }

    /// <summary>
    /// A machine that is not fit ends the doctor's step with 5, although its answer goes through tee: as GitHub runs
    /// it.
    /// </summary>
    [Fact]
    public void AnUnfitMachineStopsTheWorkflow()
    {
        var steps = (YamlSequenceNode)At(Load("github/nightly.yml"), "jobs", "nightly", "steps");
        string script = steps
            .Cast<YamlMappingNode>()
            .Select(s => s.Children.TryGetValue("run", out var run) ? run.ToString() : "")
            .Single(s => s.Contains(" doctor "));
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["build.sh"], "#!/usr/bin/env bash\necho '{}'\nexit 5\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["build.sh"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(
            5,
            Shell(script, folder: folder.Path, arguments: ["--noprofile", "--norc", "-eo", "pipefail"]).Exit
        );
    }

    /// <summary>What is on the pipe's left decides in every script of ours that pipes a verb.</summary>
    [Fact]
    public void NoPipeHidesAnExitCode()
    {
        foreach (
            string script in Directory
                .GetFiles(Ops, "*", SearchOption.AllDirectories)
                .Where(f =>
                    !f.EndsWith(".md", StringComparison.Ordinal)
                    && File.ReadAllText(f).Contains("| tee", StringComparison.Ordinal)
                )
        )
            Assert.True(File.ReadAllText(script).Contains("pipefail", StringComparison.Ordinal), script);
    }

    /// <summary>A job's notes about its cards have no serial number and no UUID.</summary>
    [Fact]
    public void NothingNamesACard()
    {
        foreach (string script in Directory.GetFiles(Ops, "*", SearchOption.AllDirectories))
            Assert.DoesNotMatch(
                "nvidia-smi +(-q|-L|--query *$)|serial|gpu_uuid|[,=]uuid|pci\\.",
                System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(script), "(?m)^ *#.*$", "")
            );
    }

    [Fact]
    public void ScriptsAreCleanShell()
    {
        if (Shell("", arguments: ["-c", "command -v shellcheck"]).Exit != 0)
            Assert.Skip("there is no shellcheck here");
        string[] scripts =
        [
            .. Directory
                .GetFiles(Ops, "*.sh")
                .Concat(Directory.GetFiles(Path.Combine(Ops, "slurm")))
                .Append(Path.Combine(Repository.Root, "build.sh")),
        ];
        var (exit, output) = Shell("", program: "shellcheck", arguments: ["--severity=warning", .. scripts]);
        Assert.True(exit == 0, output);
    }

    /// <summary>Every "lut VERB --option" of a script exists.</summary>
    private static void Known(string script)
    {
        foreach (
            System.Text.RegularExpressions.Match m in System.Text.RegularExpressions.Regex.Matches(
                script,
                @"(?:\blut|lut\[@\]\}"") (doctor|nightly|run)([^|\n]*)"
            )
        )
        {
            string help = Lut.Run(m.Groups[1].Value, "--help").Out;
            foreach (
                System.Text.RegularExpressions.Match option in System.Text.RegularExpressions.Regex.Matches(
                    m.Groups[2].Value,
                    @"(?<=\s)--[a-z-]+"
                )
            )
                Assert.True(help.Contains(option.Value), $"{option.Value} of {m.Value}");
        }
    }
}
