namespace LutNative.Harness.Errors;

/// <summary>A bug in lut, and nothing else.</summary>
internal static class InternalErrors
{
    /// <param name="kind">The exception's type.</param>
    internal static LutError Bug(string message, string version, string kind) =>
        new(
            Exit.Internal,
            1,
            $"a bug in lut: {message}",
            $"lut {version}",
            kind,
            "please report it, with this message, the trace below and the command"
        );
}
