using System.Diagnostics;

namespace LutNative.Harness.Tests.FrontDoor;

/// <summary>A program with its input, as a person at a shell would start it.</summary>
internal static class Bash
{
    internal sealed record Result(int Exit, string Out, string Error)
    {
        public string All => Out + Error;
    }

    /// <summary>Is there such a program here?</summary>
    internal static bool Has(string program) => Run($"command -v {program}").Exit == 0;

    /// <summary>Runs a script as GitHub runs one: it ends at the first failure, in a pipe too.</summary>
    internal static Result Run(string script, string? folder = null) =>
        Start("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], "", folder);

    /// <summary>Does it parse? Nothing of it is run.</summary>
    internal static Result Parse(string script) => Start("bash", ["-n"], script, null);

    internal static Result Start(string program, string[] arguments, string input, string? folder)
    {
        var info = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Repository.Root,
        };
        foreach (string a in arguments)
            info.ArgumentList.Add(a);
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, error.Result);
    }
}
