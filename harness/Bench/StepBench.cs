using System.Diagnostics;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Threads;

namespace LutNative.Harness.Bench;

/// <summary>One block of whole steps.</summary>
/// <param name="FmaFlops">The machine's limit, measured before the block, FLOP/s of all threads.</param>
/// <param name="P50">Of the steps' nanoseconds; P90, P99 and Max alike.</param>
/// <param name="DataWait">Share of the block that steps waited for data.</param>
/// <param name="OtherLoad">Cores that other processes kept busy; null where the system does not tell.</param>
/// <param name="ClockMhz">At the block's end.</param>
/// <param name="Slowdown">What held the GPU's clocks down at the block's end.</param>
internal sealed record Block(
    double ImagesPerSecond,
    double FmaFlops,
    long P50,
    long P90,
    long P99,
    long Max,
    double DataWait,
    double? OtherLoad,
    double? ClockMhz,
    string[] Slowdown
);

/// <summary>What one process measured.</summary>
/// <param name="FlopsPerImage">Of matrix products: two a multiply-add, backward twice forward.</param>
/// <param name="Phases">Share of the threads' time by phase; what is missing to 1 is waiting.</param>
/// <param name="WarmupSteps">Steps before the first block, until the rate stood still.</param>
/// <param name="BytesPerStep">
/// Managed bytes allocated by a step, all threads: the block with the fewest, since the runtime makes a few objects of
/// its own once.
/// </param>
/// <param name="PeakBytes">Peak resident memory of the process.</param>
/// <param name="JoulesPerImage">
/// Of the GPU, or of the processor's package, over all blocks; null where nobody counts them.
/// </param>
/// <param name="CheckDigest">Of the student after the first three steps.</param>
/// <param name="Digest">
/// Of the student's parameters at the end: rows with equal steps must agree on every machine.
/// </param>
internal sealed record Launch(
    Block[] Blocks,
    double FlopsPerImage,
    Dictionary<string, double> Phases,
    long WarmupSteps,
    long Steps,
    double BytesPerStep,
    long PeakBytes,
    string CheckDigest,
    string Digest,
    double? JoulesPerImage
);

/// <summary>Measures whole optimiser steps of a trainer, the same ones that a run executes.</summary>
internal static class StepBench
{
    private const double WindowSeconds = 0.2;
    private const double Steady = 0.03;

    internal static double FlopsPerImage(ProtocolSpec p, string stage)
    {
        return BenchShape.Trained(stage).FlopsPerImage(p);
    }

    /// <param name="blockSeconds">A block is as many whole steps as fill this time.</param>
    /// <param name="turn">
    /// Called before every block, and once after the last: a process that takes turns with another waits inside.
    /// </param>
    /// <param name="slow">
    /// Waits after every step for this share of its time: a slowdown planted on purpose, for drills.
    /// </param>
    internal static Launch Run(
        BenchShape shape,
        string stage,
        ImageSource images,
        Device device,
        ExecOptions exec,
        BenchOptions bench,
        int blocks,
        double blockSeconds,
        double slow = 0,
        Action? turn = null
    )
    {
        var p = shape.Protocol;
        using var pool = device.NewPool(exec.Threads);
        var views = new Views(p, images);
        using Trainer t = BenchShape.Trained(stage).NewTrainer(p, views, device, pool, exec, bench: bench);
        long s = 0;
        Step();
        Step(); // buffers and machine code exist now
        double one = Step().Seconds;
        string check = DigestOf();
        WarmUp(one, blockSeconds, () => Step().Seconds);
        long warm = s;
        int steps = Math.Max(1, (int)Math.Round(blockSeconds / one));
        var measured = new Block[blocks];
        long[] ns = new long[steps];
        var phases = Enum.GetValues<Phase>().ToDictionary(f => f.ToString().ToLowerInvariant(), _ => 0.0);
        double wall = 0;
        double bytes = double.MaxValue;
        double joules = 0;
        using var nvml = device is CudaDevice cuda ? Nvml.Open(cuda.Context, out _) : null;
        for (int b = 0; b < blocks; b++)
        {
            turn?.Invoke();
            double peak = device.FmaFlops(pool, 0.1);
            pool.Clock.Reset();
            double? energy = Energy();
            var busy = MachineState.Busy.Now();
            long waited = 0;
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            long before = Stopwatch.GetTimestamp();
            for (int i = 0; i < steps; i++)
            {
                var step = Step();
                ns[i] = (long)(step.Seconds * 1e9);
                waited += step.DataNs;
            }
            double seconds = Stopwatch.GetElapsedTime(before).TotalSeconds;
            bytes = Math.Min(bytes, (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / steps);
            joules += Energy() - energy ?? double.NaN;
            var after = nvml?.Read();
            Array.Sort(ns);
            long At(double q) => ns[Math.Min(steps - 1, (int)(q * steps))];
            measured[b] = new Block(
                (double)steps * t.Batch / seconds,
                peak,
                At(0.5),
                At(0.9),
                At(0.99),
                ns[^1],
                waited / 1e9 / seconds,
                MachineState.Busy.Now().OthersSince(busy),
                nvml is null ? MachineState.ClockMhz() : after?.SmClockMhz,
                [.. after?.Slowdown ?? []]
            );
            wall += seconds;
            foreach (var f in Enum.GetValues<Phase>())
                phases[f.ToString().ToLowerInvariant()] += Busy(f, pool);
        }
        turn?.Invoke();
        foreach (string f in phases.Keys)
            phases[f] /= wall * pool.Workers;
        using var self = Process.GetCurrentProcess();
        return new Launch(
            measured,
            FlopsPerImage(p, stage),
            phases,
            warm,
            s,
            bytes,
            self.PeakWorkingSet64,
            check,
            DigestOf(),
            double.IsNaN(joules) ? null : joules / ((double)blocks * steps * t.Batch)
        );

        string DigestOf() =>
            Model
                .Numerics.Digest.Combine(
                    t.Digests(pool)
                        .Where(d => d.Tensor.StartsWith("student/", StringComparison.Ordinal))
                        .Select(d => (d.Tensor, d.Value))
                )
                .ToString();

        double? Energy() =>
            nvml is null
                ? device.OnHost
                    ? MachineState.EnergyJoules()
                    : null
                : nvml.Read().EnergyJoules;

        (double Seconds, long DataNs) Step()
        {
            long begin = Stopwatch.GetTimestamp();
            var report = t.Step(s++);
            double took = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            while (slow > 0 && Stopwatch.GetElapsedTime(begin).TotalSeconds < took * (1 + slow))
                Thread.SpinWait(100);
            return (slow > 0 ? Stopwatch.GetElapsedTime(begin).TotalSeconds : took, report.DataNs);
        }
    }

    /// <summary>
    /// Windows of steps until the last three rates are within 3 % of each other; two blocks' time at most, so that a
    /// machine that never settles is measured too.
    /// </summary>
    private static void WarmUp(double one, double blockSeconds, Func<double> step)
    {
        int each = Math.Max(1, (int)(WindowSeconds / one));
        var last = new Queue<double>();
        double spent = 0;
        double most = Math.Max(1.0, 2 * blockSeconds);
        while (spent < most)
        {
            double window = 0;
            for (int i = 0; i < each; i++)
                window += step();
            spent += window;
            last.Enqueue(window);
            if (last.Count > 3)
                last.Dequeue();
            if (last.Count == 3 && last.Max() <= (1 + Steady) * last.Min())
                return;
        }
    }

    /// <summary>Heads and optimiser are timed by the thread that leads them, while all of them work.</summary>
    private static double Busy(Phase f, Pool pool) =>
        pool.Clock.Seconds(f) * (f is Phase.Heads or Phase.Optimizer ? pool.Workers : 1);
}
