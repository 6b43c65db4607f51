namespace LutNative.Harness.Errors;

/// <summary>A file that a verb was told to read or to write (<see cref="Files"/> makes them).</summary>
internal static class FileErrors
{
    /// <param name="exit">
    /// Usage for what a command line names as instructions, Data for what is computed with, Store for results.
    /// </param>
    internal static LutError CannotRead(Exit exit, string what, string path, string why) =>
        new(exit, 462, $"cannot read {what}", Path.GetFullPath(path), why, "check the path and its permissions");

    internal static LutError CannotWrite(string what, string path, string why) =>
        new(
            Exit.Store,
            463,
            $"cannot write {what}",
            Path.GetFullPath(path),
            why,
            "free some space, or choose another place"
        );
}
