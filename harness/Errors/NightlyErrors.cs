namespace LutNative.Harness.Errors;

/// <summary>A suite, the baselines or the commits of a bisection cannot be used. Nothing was measured.</summary>
internal static class NightlyErrors
{
    internal static LutError NoSuite(string path) =>
        new(
            Exit.Usage,
            40,
            $"there is no suite {path}",
            Path.GetFullPath(path),
            "--suite names the TOML file that says what a night runs",
            "ops/nightly.toml is one"
        );

    internal static LutError SuiteProblems(IReadOnlyCollection<string> problems) =>
        new(
            Exit.Usage,
            41,
            $"{problems.Count} problem(s) in the suite",
            [.. problems],
            "a night must run what its file says",
            "correct the file"
        );

    internal static LutError BaselineProblems(IReadOnlyCollection<string> problems) =>
        new(
            Exit.Usage,
            42,
            $"{problems.Count} problem(s) in the baselines",
            [.. problems],
            "what a night is held against must be readable",
            "restore the file from git, or accept again with `lut baseline accept NIGHT --reason WHY`"
        );

    internal static LutError NoCommitBetween(string good, string bad, string repository) =>
        new(
            Exit.Usage,
            43,
            $"there is no commit between {good} and {bad}",
            repository,
            "--bad must come after --good",
            "swap them, or name others"
        );

    internal static LutError GoodCommitFails(string commit, string repository) =>
        new(
            Exit.Usage,
            44,
            $"the good commit {commit} cannot be run",
            repository,
            "the command failed there",
            "look at its output above; give another --command or --good"
        );

    internal static LutError BadCommitFails(string commit, string repository) =>
        new(
            Exit.Usage,
            45,
            $"the bad commit {commit} cannot be run",
            repository,
            "the command failed there",
            "look at its output above; give another --command or --bad"
        );

    internal static LutError GitFailed(IEnumerable<string> words, string repository) =>
        new(
            Exit.Usage,
            46,
            $"git {string.Join(' ', words)} failed",
            repository,
            "git's message is above",
            "check the repository and the commits' names"
        );

    internal static LutError NoRevision(string revision) =>
        new(
            Exit.Usage,
            481,
            $"{revision} is no revision",
            "--good or --bad",
            "a name that begins with a dash is an option to git",
            "give a branch, a tag or a commit"
        );
}
