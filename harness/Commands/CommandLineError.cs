using System.CommandLine;
using System.CommandLine.Parsing;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Commands;

/// <summary>What is wrong with a command line, and what was probably meant.</summary>
internal static class CommandLineError
{
    internal static LutError? Of(ParseResult parsed, string[] args)
    {
        var command = parsed.CommandResult.Command;
        string verb = string.Join(' ', Path(parsed.CommandResult).Prepend("lut"));
        // an option that the verb does not have is taken for an argument where it has room for one
        string? unknown = parsed
            .UnmatchedTokens.Concat(Arguments(parsed.CommandResult))
            .FirstOrDefault(t => IsOption(t) && !Behind(args, t));
        if (unknown is not null)
            return Wrong(
                $"{verb} has no option {unknown}",
                $"did you mean {Nearest.To(unknown.Split('=')[0], Options(command))}? See {verb} --help"
            );
        if (parsed.Errors.Count == 0)
            return null;
        if (parsed.UnmatchedTokens is [var word, ..] && command.Subcommands.Count > 0)
            return Wrong(
                $"there is no command {verb} {word}",
                $"did you mean {verb} {Nearest.To(word, command.Subcommands.Select(c => c.Name))}? See {verb} --help"
            );
        return Wrong(parsed.Errors[0].Message, $"see {verb} --help");

        LutError Wrong(string what, string fix) => UsageErrors.CommandLine(what, args, fix);
    }

    /// <summary>Whether --json was among the words, also of a line that is wrong.</summary>
    internal static bool AsksForJson(ParseResult parsed) =>
        parsed.UnmatchedTokens.Contains("--json")
        || parsed.CommandResult.Command.Options.Any(o =>
            o.Name == "--json" && parsed.GetResult(o) is { Implicit: false, Tokens: [] or [{ Value: "true" }] }
        );

    private static IEnumerable<string> Path(CommandResult command) =>
        command.Parent is CommandResult parent ? Path(parent).Append(command.Command.Name) : [];

    private static IEnumerable<string> Arguments(CommandResult command) =>
        command.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value);

    private static IEnumerable<string> Options(Command command) =>
        command
            .Options.SelectMany(o => o.Aliases.Append(o.Name))
            .Append("--help")
            .Where(n => n.StartsWith("--", StringComparison.Ordinal));

    private static bool IsOption(string token) => token.Length > 1 && token[0] == '-' && !System.IO.Path.Exists(token);

    /// <summary>Behind a lone "--" everything is an argument.</summary>
    private static bool Behind(string[] args, string token) =>
        Array.IndexOf(args, "--") is >= 0 and var end && Array.IndexOf(args, token) > end;
}
