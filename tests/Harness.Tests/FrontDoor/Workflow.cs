using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>A workflow of GitHub Actions as far as it can be judged without a runner.</summary>
internal static partial class Workflow
{
    [GeneratedRegex("^[a-z-]+/[a-z-]+@[0-9a-f]{40}$")]
    private static partial Regex Pinned();

    [GeneratedRegex(@"\./build\.sh ([a-z-]+)")]
    private static partial Regex OurVerb();

    [GeneratedRegex(@"\$\{\{\s*([a-z]+)\.([A-Za-z_][A-Za-z_0-9]*)")]
    private static partial Regex Expression();

    /// <summary>The document, or null with why it is none.</summary>
    internal static YamlMappingNode? Load(string text, out string? why)
    {
        why = null;
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents is [{ RootNode: YamlMappingNode root }])
                return root;
            why = "not one mapping";
        }
        catch (YamlException e)
        {
            why = e.Message;
        }
        return null;
    }

    /// <summary>What is wrong with a workflow; empty where nothing is.</summary>
    internal static List<string> Problems(string text)
    {
        if (Load(text, out string? why) is not { } w)
            return [$"no YAML: {why}"];
        List<string> wrong = [];
        if (Has(w, "permissions") is not YamlMappingNode { Children: [{ Key: var what, Value: var right }] })
            wrong.Add("permissions: exactly one is needed, contents: read");
        else if (what.ToString() != "contents" || right.ToString() != "read")
            wrong.Add($"permissions: {what}: {right}");
        if (Has(w, "concurrency") is not { } c || Has(c, "group") is null)
            wrong.Add("concurrency: no group");
        if (Has(w, "defaults") is not { } d || Has(d, "run") is not { } r || Has(r, "shell")?.ToString() != "bash")
            wrong.Add("defaults.run.shell: not bash, so a pipe hides failures");
        if (Has(w, "on") is not YamlMappingNode { Children.Count: > 0 })
            wrong.Add("on: nothing starts it");
        if (Has(w, "jobs") is not YamlMappingNode { Children.Count: > 0 } jobs)
            return [.. wrong, "jobs: none"];
        foreach (var (name, job) in jobs.Children)
            wrong.AddRange(OfJob((YamlMappingNode)job).Select(p => $"{name}: {p}"));
        return wrong;
    }

    /// <summary>Every script of a workflow, in order.</summary>
    internal static IEnumerable<string> Scripts(string text) =>
        Load(text, out _) is { } w && Has(w, "jobs") is YamlMappingNode jobs
            ? jobs
                .Children.Values.SelectMany(job => (YamlSequenceNode)job["steps"])
                .Select(step => Has(step, "run")?.ToString())
                .OfType<string>()
            : [];

    /// <summary>Every action that a workflow uses, with its commit.</summary>
    internal static IEnumerable<string> Actions(string text) =>
        Regex.Matches(text, @"uses: (\S+)").Select(m => m.Groups[1].Value);

    private static IEnumerable<string> OfJob(YamlMappingNode job)
    {
        if (!int.TryParse(Has(job, "timeout-minutes")?.ToString(), out int minutes) || minutes > 90)
            yield return "timeout-minutes: none, or above 90";
        if (Has(job, "runs-on") is null)
            yield return "runs-on: none";
        if (Has(job, "steps") is not YamlSequenceNode { Children.Count: > 0 } steps)
        {
            yield return "steps: none";
            yield break;
        }
        string[] dimensions = [.. Matrix(job)];
        foreach (Match m in Expression().Matches(string.Join('\n', job.AllNodes.OfType<YamlScalarNode>())))
            if (m.Groups[1].Value == "matrix" && !dimensions.Contains(m.Groups[2].Value))
                yield return $"matrix.{m.Groups[2].Value}: the matrix has no such value";
        foreach (var step in steps.Cast<YamlMappingNode>())
        foreach (string p in OfStep(step))
            yield return p;
    }

    private static IEnumerable<string> OfStep(YamlMappingNode step)
    {
        string? uses = Has(step, "uses")?.ToString();
        string? script = Has(step, "run")?.ToString();
        if (uses is null == script is null)
            yield return "a step either uses an action or runs a script";
        if (uses is not null && !Pinned().IsMatch(uses))
            yield return $"uses: {uses} is not pinned by a commit";
        if (script is null)
            yield break;
        if (script.Contains("${{", StringComparison.Ordinal))
            yield return "run: an expression inside of a script can be made to run something: give it by env";
        if (Bash.Parse(script) is { Exit: not 0 } bad)
            yield return $"run: {bad.Error.Trim()}";
        string door = File.ReadAllText(Path.Combine(Repository.Root, "build.sh"));
        foreach (Match m in OurVerb().Matches(script))
            if (!door.Contains($"\n  {m.Groups[1].Value})", StringComparison.Ordinal))
                yield return $"run: build.sh has no verb {m.Groups[1].Value}";
    }

    /// <summary>The names that a job's matrix gives.</summary>
    private static IEnumerable<string> Matrix(YamlMappingNode job)
    {
        if (Has(job, "strategy") is not { } s || Has(s, "matrix") is not YamlMappingNode matrix)
            return [];
        var included = Has(matrix, "include") is YamlSequenceNode list ? list.Cast<YamlMappingNode>() : [];
        return included.Append(matrix).SelectMany(m => m.Children.Keys).Select(k => k.ToString());
    }

    private static YamlNode? Has(YamlNode node, string key) =>
        node is YamlMappingNode m && m.Children.TryGetValue(key, out var value) ? value : null;
}
