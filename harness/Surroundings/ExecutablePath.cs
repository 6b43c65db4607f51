using LutNative.Harness.Errors;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// Programs are started by the absolute path that PATH's absolute folders give. Process.Start alone looks in the
/// current folder first, and an empty or relative entry of PATH means a folder that depends on where somebody stands:
/// whoever can write there would choose what runs.
/// </summary>
internal static class ExecutablePath
{
    /// <summary>PATH with its absolute folders alone: what programs that start programs get.</summary>
    internal static string Trusted => string.Join(Path.PathSeparator, Folders());

    /// <summary>The absolute path of a program on PATH.</summary>
    /// <exception cref="LutError">No absolute folder of PATH has it.</exception>
    internal static string Find(string program)
    {
        string[] names = OperatingSystem.IsWindows() ? [program + ".exe", program + ".cmd"] : [program];
        return Folders().SelectMany(f => names.Select(n => Path.Combine(f, n))).FirstOrDefault(MayRun)
            ?? throw UsageErrors.NoProgram(program);
    }

    private static IEnumerable<string> Folders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathFullyQualified);

    private static bool MayRun(string path)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & Execute) != 0);
    }
}
