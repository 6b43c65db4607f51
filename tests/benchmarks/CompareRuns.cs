using System.Diagnostics;
using System.Globalization;

namespace LutNative.Benchmarks;

/// <summary>
/// `lut compare` of two runs of the published recipe's size by each of several builds, in turns: seconds and the most
/// memory that the process held. Usage: compare-runs ROUNDS PARTS lut.dll [lut.dll ...]; parts are 1,000 for a whole run.
/// </summary>
internal static class CompareRuns
{
    internal const string Verb = "compare-runs";

    internal static void Run(string[] args)
    {
        int rounds = int.Parse(args[0], CultureInfo.InvariantCulture);
        int parts = int.Parse(args[1], CultureInfo.InvariantCulture);
        string[] builds = args[2..];
        using var runs = new RunPair();
        var watch = Stopwatch.StartNew();
        runs.Make(parts);
        Console.WriteLine(FormattableString.Invariant($"made in {watch.Elapsed.TotalSeconds:f1} s"));
        var found = builds.Select(_ => new List<(double Seconds, double Mib)>()).ToArray();
        for (int r = 0; r < rounds; r++)
        for (int b = 0; b < builds.Length; b++)
            found[b].Add(Compare(builds[b], runs));
        for (int b = 0; b < builds.Length; b++)
        {
            double seconds = Median(found[b].Select(f => f.Seconds));
            double mib = Median(found[b].Select(f => f.Mib));
            double time = seconds / Median(found[0].Select(f => f.Seconds));
            double memory = mib / Median(found[0].Select(f => f.Mib));
            Console.WriteLine(
                FormattableString.Invariant(
                    $"{builds[b]}: {seconds:f2} s ({time:f2} of the first), {mib:f0} MiB ({memory:f2} of the first)"
                )
            );
        }
    }

    private static (double Seconds, double Mib) Compare(string lut, RunPair runs)
    {
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [lut, "compare", runs.A, runs.B]) { RedirectStandardOutput = true }
        )!;
        var said = process.StandardOutput.ReadToEndAsync();
        long most = 0;
        while (!process.WaitForExit(20))
        {
            process.Refresh();
            if (!process.HasExited)
                most = Math.Max(most, process.PeakWorkingSet64);
        }
        double seconds = watch.Elapsed.TotalSeconds;
        string verdict = said.Result.TrimEnd().Split('\n')[^1];
        Console.WriteLine(FormattableString.Invariant($"{seconds:f2} s, {most >> 20} MiB, {lut}: {verdict}"));
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{lut} compare: exit {process.ExitCode}");
        return (seconds, most / 1048576.0);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
