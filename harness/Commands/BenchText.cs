using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>`lut bench` for people.</summary>
internal static class BenchText
{
    private const double Mebi = 1 << 20;
    private const double NanosecondsAMillisecond = 1e6;

    internal static void Write(BenchResult found)
    {
        string rate = found.ImagesPerSecond.Text(found.ImagesPerSecond < 100 ? "f2" : "f0");
        string image = Giga(found.FlopsPerImage, "f3");
        Output.Table(
            ["what", "value"],
            [
                ["shape", $"{found.Shape}: {found.Title}"],
                ["work", Work(found)],
                ["machine", found.Cpu],
                [
                    "images/s",
                    $"{rate}   95 % interval {found.Low.Text("g5")} to {found.High.Text("g5")}, "
                        + $"{found.Launches} launches x {found.Blocks.Count / found.Launches} blocks",
                ],
                ["matrix products", $"{image} GFLOP an image, {Giga(found.MfuNumerator, "f0")} GFLOP/s"],
                [
                    "MFU",
                    $"{Percent(found.Mfu)} % = {rate} images/s x {image} GFLOP / "
                        + $"{Giga(found.MfuDenominator, "f0")} GFLOP/s ({found.MfuSource})",
                ],
                ["step", Step(found)],
                ["machine's state", State(found)],
                ["threads' time", string.Join(", ", found.Phases.Select(f => $"{f.Key} {Percent(f.Value)} %"))],
                [
                    "memory",
                    $"{(found.PeakBytes / Mebi).Text("f0")} MiB at most, planned "
                        + $"{(found.PlannedBytes / Mebi).Text("f0")}; {found.BytesPerStep.Text("f0")} managed bytes a "
                        + "step",
                ],
                ["energy", Energy(found)],
                ["digest", $"{found.CheckDigest} after three steps, {found.Digest} after {found.StepsOfALaunch}"],
            ]
        );
    }

    private static string Work(BenchResult found)
    {
        string level = found.LevelOfDevice is { } named ? ", " + named : "";
        string premade = found.Premade ? ", images made beforehand" : "";
        return $"{found.Method}, batch {found.Batch}, grain {found.Grain}, {found.Threads} thread(s), "
            + $"{found.Device}{level}{premade}";
    }

    private static string Step(BenchResult found)
    {
        var ns = found.StepNs;
        return $"{Ms(ns.P50)} ms (median), p90 {Ms(ns.P90)}, p99 {Ms(ns.P99)}, longest {Ms(ns.Max)}; "
            + $"{Percent(found.DataWait)} % of the time waiting for data";
    }

    private static string State(BenchResult found)
    {
        string load = found.OtherLoad is { } others ? others.Text("f2") + " cores busy with others" : "load unknown";
        string clock = found.ClockMhz is { } mhz ? $", {mhz.Text("f0")} MHz" : "";
        return $"{load}{clock}; warm after {string.Join(", ", found.WarmupSteps)} steps";
    }

    private static string Energy(BenchResult found)
    {
        if (found.JoulesPerImage is not { } joules)
            return "not counted here";
        string slow = found.Slowdown.Count > 0 ? "; clocks were held down by " + string.Join(", ", found.Slowdown) : "";
        return $"{joules.Text("f3")} J an image{slow}";
    }

    private static string Giga(double flops, string format) => (flops / 1e9).Text(format);

    private static string Ms(double nanoseconds) => (nanoseconds / NanosecondsAMillisecond).Text("f2");

    private static string Percent(double share) => (100 * share).Text("f1");
}
