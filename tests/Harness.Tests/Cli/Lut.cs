using System.Diagnostics;
using System.Runtime.InteropServices;
using LutNative.Harness.Commands;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// The program as its users call it. <see cref="Run"/> calls the harness in this process; the others start one, for
/// tests of what belongs to a process: its environment, folder, streams, signals and end.
/// </summary>
internal static class Lut
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "lut.dll");

    internal sealed record Result(int Exit, string Out, string Error)
    {
        public string LastLine => Out.TrimEnd().Split('\n')[^1];
    }

    internal static Result Run(params string[] args)
    {
        using var heard = new CapturedStreams();
        int exit = Verbs.Answer(args, _ => { }, CancellationToken.None);
        return new Result(exit, heard.Out, heard.Error);
    }

    internal static Result Started(params string[] args) => RunWith([], args);

    internal static Result RunWith(Dictionary<string, string> environment, params string[] args) =>
        RunIn("", environment, args);

    /// <summary>Started inside a folder.</summary>
    internal static Result RunIn(string folder, Dictionary<string, string> environment, params string[] args)
    {
        using var process = StartIn(folder, environment, args);
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, error.Result);
    }

    internal static Process Start(Dictionary<string, string> environment, params string[] args) =>
        StartIn("", environment, args);

    private static Process StartIn(string folder, Dictionary<string, string> environment, string[] args)
    {
        var info = new ProcessStartInfo(
            Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet"
        )
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        info.ArgumentList.Add(Program);
        foreach (string a in args)
            info.ArgumentList.Add(a);
        foreach (var (k, v) in environment)
            info.Environment[k] = v;
        return Process.Start(info)!;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);

    internal static void Terminate(Process p) => Assert.Equal(0, SendSignal(p.Id, 15));
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lut-cli-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>The one run inside.</summary>
    public string Run => Directory.GetDirectories(Path).Single();

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
