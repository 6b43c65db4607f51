using System.Diagnostics;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Nightly;

/// <summary>
/// The first commit whose bits differ. Bits repeat, so one run a commit decides: no statistics, no second tries.
/// </summary>
internal static class Bisect
{
    /// <summary>
    /// Builds a commit and prints what a run of hello@1 is, as one line: its digests do not depend on the machine.
    /// </summary>
    internal const string DefaultCommand =
        $"dotnet build harness -c Release -v quiet --nologo >&2 && {BuiltLut} run hello@1 -q -o bisect-runs >&2; "
        + $"{BuiltLut} verify bisect-runs/* --write-reference bisect.digests >&2; "
        + "sha256sum < bisect.digests";

    private const string BuiltLut = "dotnet harness/bin/Release/net10.0/lut.dll";

    /// <param name="Bad">The first commit that differs.</param>
    /// <param name="Skipped">
    /// Commits that could not be built or run: the first bad one may be among those next to it.
    /// </param>
    internal sealed record Result(
        string Bad,
        string Subject,
        string GoodDigest,
        string BadDigest,
        int Tried,
        IReadOnlyList<string> Skipped
    );

    /// <param name="command">
    /// Run by sh in a checkout of each commit; what it prints is compared, exit codes other than 0 mean that the commit
    /// cannot be judged.
    /// </param>
    internal static Result Run(string repository, string good, string bad, string command, Action<string> say)
    {
        string from = Resolve(repository, good);
        string to = Resolve(repository, bad);
        string[] commits =
        [
            .. Git(repository, "rev-list", "--reverse", "--first-parent", "--end-of-options", $"{from}..{to}")
                .Split('\n', StringSplitOptions.RemoveEmptyEntries),
        ];
        if (commits.Length == 0)
            throw NightlyErrors.NoCommitBetween(good, bad, repository);
        string goodDigest =
            DigestOf(repository, from, command, say) ?? throw NightlyErrors.GoodCommitFails(good, repository);
        string? badDigest = DigestOf(repository, commits[^1], command, say);
        if (badDigest is null)
            throw NightlyErrors.BadCommitFails(bad, repository);
        if (badDigest == goodDigest)
            throw NothingSelectedErrors.SameBits(good, bad, goodDigest);
        var known = new Dictionary<int, string?> { [commits.Length - 1] = badDigest };
        int low = -1;
        int high = commits.Length - 1; // low is good, high is bad
        while (high - low > 1)
        {
            // the middle one, or the nearest to it that has not failed
            int middle = (low + high) / 2;
            if (
                Enumerable
                    .Range(low + 1, high - low - 1)
                    .Where(i => !known.TryGetValue(i, out string? d) || d is not null)
                    .OrderBy(i => Math.Abs(i - middle))
                    .ThenBy(i => i)
                    .Cast<int?>()
                    .FirstOrDefault()
                is not { } next
            )
                break;
            if (!known.ContainsKey(next))
                known[next] = DigestOf(repository, commits[next], command, say);
            if (known[next] is not { } digest)
                continue;
            if (digest == goodDigest)
                low = next;
            else
                high = next;
        }
        return new Result(
            commits[high],
            Git(repository, "log", "-1", "--format=%s", "--end-of-options", commits[high]).Trim(),
            goodDigest,
            known[high]!,
            known.Count + 1,
            [.. known.Where(k => k.Value is null).Select(k => commits[k.Key])]
        );
    }

    private static string? DigestOf(string repository, string commit, string command, Action<string> say)
    {
        string tree = Path.Combine(Path.GetTempPath(), "lut-bisect-" + Guid.NewGuid().ToString("N"));
        Git(repository, "worktree", "add", "--detach", "--quiet", "--", tree, commit);
        void Remove() => Git(repository, "worktree", "remove", "--force", "--", tree);
        Interruption.Undo(Remove);
        try
        {
            var (code, output) = Start(tree, "sh", "-c", command);
            string? digest = code == 0 && output.Trim().Length > 0 ? output.Trim() : null;
            say(Plain.OneLine($"{commit}: {digest ?? "cannot be run"}"));
            return digest;
        }
        finally
        {
            Interruption.Forget(Remove);
            Remove();
        }
    }

    /// <summary>
    /// A commit's hash. What begins with a dash would be an option to git, whatever stands before it.
    /// </summary>
    private static string Resolve(string repository, string revision)
    {
        if (revision.StartsWith('-'))
            throw NightlyErrors.NoRevision(revision);
        return Git(repository, "rev-parse", "--verify", "--end-of-options", revision + "^{commit}").Trim();
    }

    private static string Git(string repository, params string[] words)
    {
        // nothing of the repository's own settings runs: no hooks, no monitor, no pager; nobody is asked for a password
        string[] safe =
        [
            "--no-pager",
            "-c",
            "core.hooksPath=" + (OperatingSystem.IsWindows() ? "NUL" : "/dev/null"),
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.pager=cat",
        ];
        var (code, output) = Start(repository, "git", [.. safe, .. words]);
        return code == 0 ? output : throw NightlyErrors.GitFailed(words, repository);
    }

    private static (int Code, string Output) Start(string folder, string program, params string[] words)
    {
        var start = new ProcessStartInfo(ExecutablePath.Find(program))
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        foreach (string w in words)
            start.ArgumentList.Add(w);
        start.Environment["PATH"] = ExecutablePath.Trusted;
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        using var process = Process.Start(start)!;
        Interruption.Adopt(process);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Interruption.Release(process);
        return (process.ExitCode, output);
    }
}
