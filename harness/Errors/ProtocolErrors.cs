namespace LutNative.Harness.Errors;

/// <summary>A protocol, a claim or another file of instructions cannot be used. Nothing was started.</summary>
internal static class ProtocolErrors
{
    internal static LutError NoFile(string path, IEnumerable<string> builtIn) =>
        new(
            Exit.Usage,
            1,
            $"there is no protocol file {path}",
            Path.GetFullPath(path),
            "a protocol given by path must exist",
            "check the path, or name a built-in protocol: " + string.Join(", ", builtIn)
        );

    internal static LutError NoProtocol(string name, IReadOnlyCollection<string> builtIn) =>
        new(
            Exit.Usage,
            2,
            $"there is no protocol named {name}",
            "the protocol argument",
            "known protocols are " + string.Join(", ", builtIn),
            $"did you mean {Nearest.To(name, builtIn)}?"
        );

    /// <param name="problems">All of them, each with its place: "file.toml:14: ...".</param>
    internal static LutError Problems(IReadOnlyCollection<string> problems) =>
        new(
            Exit.Usage,
            3,
            $"{problems.Count} problem(s) in the protocol",
            [.. problems],
            "a protocol must be complete and exact, because its hash names the experiment",
            "correct the file or the --set options"
        );

    internal static LutError NoKey(string key, IEnumerable<string> known) =>
        new(
            Exit.Usage,
            23,
            $"the protocol has no key {key}",
            "--explain",
            "keys are section.name, as in the protocol's file",
            $"did you mean {Nearest.To(key, known)}?"
        );

    internal static LutError NoClaim(string id, IReadOnlyCollection<string> known) =>
        new(
            Exit.Usage,
            25,
            $"there is no claim named {id}",
            "--claim",
            "known are " + string.Join(", ", known),
            $"did you mean {Nearest.To(id, known)}?"
        );

    /// <summary>What the networks' own checks of shapes say.</summary>
    internal static LutError Shapes(string why) =>
        new(
            Exit.Usage,
            460,
            "these shapes cannot be computed here",
            "the protocol's shapes, on this --device and at this level of --math",
            why,
            "change the shape, the --device or the --math"
        );

    internal static LutError TooDeep(string file, string why) =>
        new(
            Exit.Usage,
            466,
            "a TOML file cannot be parsed",
            file,
            why,
            "values of ours are at most lists: remove the nesting"
        );
}
