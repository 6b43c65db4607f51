using System.CommandLine;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>
/// How a verb declares what it takes: one line for each argument and option, in the order of its `--help`. Options that
/// several verbs have are here by their names, so that they are spelt and parsed alike everywhere.
/// </summary>
internal static class Declared
{
    internal static Argument<T> Argument<T>(
        this Command command,
        string name,
        string description,
        ArgumentArity? arity = null
    )
    {
        var argument = new Argument<T>(name) { Description = description };
        if (arity is { } some)
            argument.Arity = some;
        command.Arguments.Add(argument);
        return argument;
    }

    /// <summary>An option without a default: null, or no words, when it is not given.</summary>
    internal static Option<T> Option<T>(
        this Command command,
        string name,
        string description,
        string? shortly = null,
        bool required = false
    ) => command.With(Make<T>(name, shortly, description, required));

    internal static Option<string> Option(
        this Command command,
        string name,
        string description,
        string otherwise,
        string? shortly = null
    )
    {
        var option = Make<string>(name, shortly, description, required: false);
        option.DefaultValueFactory = _ => otherwise;
        return command.With(option);
    }

    internal static Option<bool> Flag(
        this Command command,
        string name,
        string description,
        string? shortly = null,
        bool hidden = false
    )
    {
        var option = Make<bool>(name, shortly, description, required: false);
        option.Hidden = hidden;
        return command.With(option);
    }

    internal static Option<int> Int(
        this Command command,
        string name,
        int otherwise,
        string description,
        int least = 0,
        int most = int.MaxValue
    ) => command.With(Numbers.Int(name, otherwise, description, least, most));

    internal static Option<double?> Double(
        this Command command,
        string name,
        string description,
        double least,
        double most
    ) => command.With(Numbers.Double(name, description, least, most));

    internal static Option<bool> Json(
        this Command command,
        string description = "Print the result as one JSON object"
    ) => command.Flag("--json", description);

    internal static Option<bool> Quiet(this Command command) =>
        command.Flag("--quiet", "No progress on standard error", "-q");

    internal static Option<string?> Data(
        this Command command,
        string description = "Folder with the data set's original files"
    ) => command.Option<string?>("--data", description);

    internal static Option<string> Device(this Command command, string description) =>
        command.Option("--device", description, "cpu");

    internal static Option<string> Math(this Command command) => command.With(RunOptions.MathOption());

    internal static Option<string> Memory(this Command command, string description) =>
        command.Option("--memory", description, "keep");

    internal static Option<int> Threads(this Command command) =>
        command.Int("--threads", 0, "Compute threads; 0 means one a core", most: Numbers.MostThreads);

    internal static Option<double?> Band(this Command command, string with) =>
        command.Double("--band", $"Ratio that counts as noise with {with} (0.03 by default)", 0, 10);

    /// <param name="which">Of the sets that a file of weights may hold.</param>
    internal static Option<string> Which(this Command command, string which) => command.Option("--which", which, "");

    /// <summary>A file or folder that is written in any case.</summary>
    internal static Option<string> Output(this Command command, string description, string otherwise) =>
        command.Option("--output", description, otherwise, "-o");

    /// <summary>A file or folder that is written where it is named.</summary>
    internal static Option<string?> Output(this Command command, string description) =>
        command.Option<string?>("--output", description, "-o");

    private static Option<T> Make<T>(string name, string? shortly, string description, bool required)
    {
        string[] aliases = shortly is null ? [] : [shortly];
        return new Option<T>(name, aliases) { Description = description, Required = required };
    }

    private static T With<T>(this Command command, T option)
        where T : Option
    {
        command.Options.Add(option);
        return option;
    }
}
