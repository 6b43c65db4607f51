using LutNative.Results;

namespace LutNative.Harness.Errors;

/// <summary>
/// Files that a verb is told to read or to write: when it cannot, one error says which file, for what, and why.
/// </summary>
internal static class Files
{
    /// <summary>Whether it was a file, its folder, its disk or its permissions, and no mistake of ours.</summary>
    internal static bool Failed(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <param name="what">What the file is: "the protocol".</param>
    /// <param name="exit">
    /// Usage for what a command line names as instructions, Data for what is computed with, Store for results.
    /// </param>
    internal static string ReadText(string path, string what, Exit exit) => Read(path, what, exit, File.ReadAllText);

    internal static T Read<T>(string path, string what, Exit exit, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw FileErrors.CannotRead(exit, what, path, e.Message);
        }
    }

    internal static void WriteText(string path, string what, string text) =>
        Write(path, what, () => WholeFile.WriteText(path, text));

    internal static void Write(string path, string what, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw FileErrors.CannotWrite(what, path, e.Message);
        }
    }

    /// <summary>The file that the system's message names, or that there is none.</summary>
    internal static string NameIn(Exception e)
    {
        if (e is FileNotFoundException { FileName: { } name })
            return name;
        string[] quoted = e.Message.Split('\'');
        return quoted.Length >= 3 ? quoted[1] : "a file (the system does not say which)";
    }
}
