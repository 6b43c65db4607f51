using System.Diagnostics;
using System.Text.Json;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Bench;

/// <summary>
/// A process that measures. With turns it says a line when it waits for one: before every block, and before it gives
/// its answer.
/// </summary>
internal sealed class BenchProcess : IDisposable
{
    /// <summary>This program, in place of another build's.</summary>
    internal const string Self = "self";

    /// <summary>What it says when it waits for its turn; any line lets it go on.</summary>
    internal const string Waiting = "waiting";

    private readonly Process process;
    private readonly string program;

    private BenchProcess(string program, Process process)
    {
        this.program = program;
        this.process = process;
    }

    /// <param name="program">self, or another build: its lut.dll or its executable.</param>
    internal static BenchProcess Start(string program, BenchOrder order, bool turns)
    {
        var start = program == Self ? OwnProgram() : OtherProgram(program);
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = turns;
        foreach (string word in order.Words())
            start.ArgumentList.Add(word);
        if (turns)
            start.ArgumentList.Add("--turns");
        try
        {
            var process = Process.Start(start)!;
            Interruption.Adopt(process);
            return new BenchProcess(program, process);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw Failed(program, e.Message);
        }
    }

    /// <summary>This process's program is `dotnet` with lut.dll as its first argument, or an executable of its own.</summary>
    private static bool RunByDotnet => Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet";

    private static ProcessStartInfo OwnProgram()
    {
        var start = new ProcessStartInfo { FileName = Environment.ProcessPath! };
        if (RunByDotnet)
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        return start;
    }

    private static ProcessStartInfo OtherProgram(string program)
    {
        string file = Path.GetFullPath(program); // absolute, so that nobody looks for it elsewhere
        if (!File.Exists(file))
            throw Failed(program, "there is no such file: give the path of its lut.dll or its executable");
        if (!program.EndsWith(".dll", StringComparison.Ordinal))
            return new ProcessStartInfo { FileName = file };
        var start = new ProcessStartInfo
        {
            FileName = RunByDotnet ? Environment.ProcessPath! : ExecutablePath.Find("dotnet"),
        };
        start.ArgumentList.Add(file);
        return start;
    }

    internal void Go()
    {
        process.StandardInput.WriteLine("go");
        process.StandardInput.Flush();
    }

    internal void Await()
    {
        if (process.StandardOutput.ReadLine() != Waiting)
            throw Failed(program, "it ended before its turn");
    }

    internal Launch Result()
    {
        string answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw Ended();
        try
        {
            return JsonSerializer.Deserialize<Launch>(answer)!;
        }
        catch (JsonException e)
        {
            throw Failed(program, e.Message);
        }
    }

    /// <summary>A launch that refused has said why under its own id; one that was killed has not.</summary>
    private Exception Ended() =>
        Enum.IsDefined((Exit)process.ExitCode)
            ? new ChildFailedException(
                (Exit)process.ExitCode,
                FormattableString.Invariant(
                    $"a launch of the benchmark ended with exit code {process.ExitCode}; its error is above"
                )
            )
            : UnfitErrors.LaunchDied(program, process.ExitCode);

    private static LutError Failed(string program, string why) => UsageErrors.NoBuildToMeasure(program, why);

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        Interruption.Release(process);
        process.Dispose();
    }
}
