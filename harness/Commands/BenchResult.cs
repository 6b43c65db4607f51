using LutNative.Harness.Bench;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>Nanoseconds of a step: medians over blocks of the blocks' quantiles, and the longest of all.</summary>
internal sealed record StepTimes(double P50, double P90, double P99, long Max);

/// <summary>What the launches of one benchmark measured.</summary>
/// <param name="Low">Of the images per second, the 95 % interval's.</param>
/// <param name="Blocks">Images per second, one value a block.</param>
/// <param name="Mfu">Numerator over denominator, block by block: the share of the peak that matrix products reach.</param>
/// <param name="DataWait">Share of the time that steps waited for data.</param>
/// <param name="OtherLoad">Cores that other processes kept busy; null where the system does not tell.</param>
/// <param name="CheckDigest">Of the student after three steps, <paramref name="Digest"/> at the end.</param>
/// <param name="FmaPeak">Fused multiply-adds measured beside the blocks, FLOP/s; PeakShare is of it.</param>
/// <param name="Phases">Share of the threads' time by phase; waiting is what is missing to 1.</param>
/// <param name="BytesPerStep">Managed bytes that a step allocates.</param>
/// <param name="Level">The contract, or a level of run-to-run math.</param>
internal sealed record BenchResult(
    string Shape,
    string Stage,
    string Method,
    int Batch,
    int Grain,
    int Threads,
    string Device,
    string Cpu,
    double ImagesPerSecond,
    double Low,
    double High,
    IReadOnlyList<double> Blocks,
    double Mfu,
    double MfuNumerator,
    double MfuDenominator,
    string MfuSource,
    StepTimes StepNs,
    double DataWait,
    double? OtherLoad,
    IReadOnlyList<long> WarmupSteps,
    string CheckDigest,
    double FlopsPerImage,
    double FmaPeak,
    double PeakShare,
    IReadOnlyDictionary<string, double> Phases,
    double BytesPerStep,
    long PeakBytes,
    long PlannedBytes,
    string Digest,
    string Level,
    double? JoulesPerImage,
    IReadOnlyList<string> Slowdown
) : IVerbResult
{
    internal required string Title { get; init; }

    /// <summary>A level of run-to-run math; null for the contract.</summary>
    internal required string? LevelOfDevice { get; init; }

    /// <summary>Every step saw one batch made beforehand.</summary>
    internal required bool Premade { get; init; }
    internal required int Launches { get; init; }
    internal required long StepsOfALaunch { get; init; }
    internal required double? ClockMhz { get; init; }

    internal static BenchResult Of(
        BenchShape shape,
        string stage,
        Device device,
        ExecOptions exec,
        BenchOptions bench,
        IReadOnlyList<Launch> launches
    )
    {
        var p = shape.Protocol;
        Block[] blocks = [.. launches.SelectMany(l => l.Blocks)];
        var rate = Interval.Of([.. blocks.Select(b => b.ImagesPerSecond)]);
        double peak = Median(b => b.FmaFlops);
        double flops = StepBench.FlopsPerImage(p, stage);
        var (limit, source) = Bench.Launches.PeakOf(device, blocks[0] with { FmaFlops = peak });
        return new BenchResult(
            shape.Name,
            stage,
            stage == StageId.Pretrain.Name ? p.Pretrain.Method : stage,
            shape.Batch(stage),
            shape.Grain(stage),
            exec.Threads,
            device.Name,
            Machine.CpuModel,
            rate.Median,
            rate.Low,
            rate.High,
            [.. blocks.Select(b => b.ImagesPerSecond)],
            // block by block against the limit measured beside it, so that a neighbour's load cancels
            Median(b => b.ImagesPerSecond * flops / Bench.Launches.PeakOf(device, b).Flops),
            rate.Median * flops,
            limit,
            source,
            new StepTimes(Median(b => b.P50), Median(b => b.P90), Median(b => b.P99), blocks.Max(b => b.Max)),
            blocks.Average(b => b.DataWait),
            blocks.All(b => b.OtherLoad is not null) ? blocks.Average(b => b.OtherLoad!.Value) : null,
            [.. launches.Select(l => l.WarmupSteps)],
            launches[0].CheckDigest,
            flops,
            peak,
            Median(b => b.ImagesPerSecond * flops / b.FmaFlops),
            PhasesOf(launches),
            launches.Max(l => l.BytesPerStep),
            launches.Max(l => l.PeakBytes),
            MemoryPlan.Stage(p, BenchShape.Trained(stage), device, exec, bench),
            launches[0].Digest,
            device.Level ?? p.Contract,
            launches.All(l => l.JoulesPerImage is not null)
                ? Performance.Median([.. launches.Select(l => l.JoulesPerImage!.Value)])
                : null,
            [.. blocks.SelectMany(b => b.Slowdown).Distinct()]
        )
        {
            Title = shape.Title,
            LevelOfDevice = device.Level,
            Premade = bench.FrozenData,
            Launches = launches.Count,
            StepsOfALaunch = launches[0].Steps,
            ClockMhz = blocks[^1].ClockMhz,
        };

        double Median(Func<Block, double> of) => Performance.Median([.. blocks.Select(of)]);
    }

    private static Dictionary<string, double> PhasesOf(IReadOnlyList<Launch> launches)
    {
        var phases = launches[0]
            .Phases.Keys.ToDictionary(k => k, k => Performance.Median([.. launches.Select(l => l.Phases[k])]));
        double waiting = 1.0;
        foreach (double busy in phases.Values)
            waiting -= busy;
        phases["waiting"] = waiting;
        return phases;
    }
}
