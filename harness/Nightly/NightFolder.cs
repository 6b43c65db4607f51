using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Nightly;

/// <summary>
/// The folder of one night. It comes into being with a file in it, by a rename, which the system refuses where a folder
/// with something in it stands: two nights never share one.
/// </summary>
internal static class NightFolder
{
    internal const string SuiteName = "suite.toml";
    private const int MostInASecond = 100;

    /// <param name="suite">The suite's text: what the night was asked to run.</param>
    internal static string Make(string root, DateTime at, string suite)
    {
        string unborn = Path.Combine(root, $".night-{Guid.NewGuid():n}");
        try
        {
            Directory.CreateDirectory(unborn);
            WholeFile.WriteText(Path.Combine(unborn, SuiteName), suite);
            string name = Path.Combine(root, FormattableString.Invariant($"{at:yyyyMMdd-HHmmss}"));
            for (int n = 1; n < MostInASecond; n++)
                if (Born(unborn, n == 1 ? name : FormattableString.Invariant($"{name}-{n:d2}")) is { } folder)
                    return folder;
            throw new IOException($"{MostInASecond} nights began in one second");
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotMakeNight(root, e.Message);
        }
    }

    private static string? Born(string unborn, string folder)
    {
        try
        {
            Directory.Move(unborn, folder);
            return folder;
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            return null; // another night began in this second
        }
    }
}
