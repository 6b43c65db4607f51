using System.Diagnostics;
using LutNative.Harness.Data;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Networks;

namespace LutNative.Harness.Bench;

/// <summary>What one process measured.</summary>
/// <param name="ImagesPerSecond">One value a block.</param>
/// <param name="FmaFlops">The machine's limit, measured before every block, FLOP/s of all threads.</param>
/// <param name="FlopsPerImage">Of matrix products: two a multiply-add, backward twice forward.</param>
/// <param name="Phases">Share of the threads' time by phase; what is missing to 1 is waiting.</param>
/// <param name="BytesPerStep">Managed bytes allocated by a step, all threads: the block with the fewest, since the runtime makes a few objects of its own once.</param>
/// <param name="PeakBytes">Peak resident memory of the process.</param>
/// <param name="JoulesPerImage">Of the GPU, over all blocks; null where nobody counts them.</param>
/// <param name="Slowdown">What held the GPU's clocks down at the end of a block.</param>
/// <param name="Digest">Of the student's parameters at the end: rows with equal steps must agree on every machine.</param>
internal sealed record Launch(double[] ImagesPerSecond, double[] FmaFlops, double FlopsPerImage, Dictionary<string, double> Phases, long Steps, double BytesPerStep, long PeakBytes, string Digest, double? JoulesPerImage, string[] Slowdown);

/// <summary>Measures whole optimiser steps of a trainer, the same ones that a run executes.</summary>
internal static class StepBench
{
    internal static double FlopsPerImage(ProtocolSpec p, string stage)
    {
        var cost = new Cost(p, PretrainTrainer.NetworkOf(p));
        return stage == "pretrain" ? cost.PretrainFlops : cost.FinetuneFlops;
    }

    /// <param name="blockSeconds">A block is as many whole steps as fill this time.</param>
    internal static Launch Run(BenchShape shape, string stage, ImageSource images, Device device, ExecOptions exec, int blocks, double blockSeconds)
    {
        var p = shape.Protocol;
        using var pool = new Pool(Math.Min(exec.Threads, device.MostThreads));
        var views = new Views(p, images);
        using Trainer t = stage == "pretrain" ? new PretrainTrainer(p, views, device, pool, exec) : new FinetuneTrainer(p, views, device, pool, exec, trunk: null);
        long s = 0;
        long before = Stopwatch.GetTimestamp();
        t.Step(s++);
        t.Step(s++);   // buffers and machine code exist now; one more step says how long a block is
        long one = Stopwatch.GetTimestamp();
        t.Step(s++);
        int steps = Math.Max(1, (int)Math.Round(blockSeconds / Stopwatch.GetElapsedTime(one).TotalSeconds));
        double[] rate = new double[blocks], peak = new double[blocks];
        var phases = Enum.GetValues<Phase>().ToDictionary(f => f.ToString().ToLowerInvariant(), _ => 0.0);
        double wall = 0;
        double bytes = double.MaxValue, joules = 0;
        var slowdown = new SortedSet<string>(StringComparer.Ordinal);
        using var nvml = device is CudaDevice cuda ? Nvml.Open(cuda.Context, out _) : null;
        for (int b = 0; b < blocks; b++)
        {
            peak[b] = device.FmaFlops(pool, 0.1);
            pool.Clock.Reset();
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            double? energy = nvml?.Read().EnergyJoules;
            before = Stopwatch.GetTimestamp();
            for (int i = 0; i < steps; i++) t.Step(s++);
            double seconds = Stopwatch.GetElapsedTime(before).TotalSeconds;
            bytes = Math.Min(bytes, (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / steps);
            rate[b] = (double)steps * t.Batch / seconds;
            var after = nvml?.Read();
            joules += after?.EnergyJoules - energy ?? double.NaN;
            slowdown.UnionWith(after?.Slowdown ?? []);
            wall += seconds;
            foreach (var f in Enum.GetValues<Phase>()) phases[f.ToString().ToLowerInvariant()] += Busy(f, pool);
        }
        foreach (string f in phases.Keys) phases[f] /= wall * pool.Workers;
        var digest = Model.Numerics.Digest.Combine(t.Digests(pool).Where(d => d.Tensor.StartsWith("student/", StringComparison.Ordinal)).Select(d => (d.Tensor, d.Value)));
        using var self = Process.GetCurrentProcess();
        return new Launch(rate, peak, FlopsPerImage(p, stage), phases, s, bytes, self.PeakWorkingSet64, digest.ToString(), double.IsNaN(joules) ? null : joules / ((double)blocks * steps * t.Batch), [.. slowdown]);
    }

    /// <summary>Heads and optimiser are timed by the thread that leads them, while all of them work.</summary>
    private static double Busy(Phase f, Pool pool) => pool.Clock.Seconds(f) * (f is Phase.Heads or Phase.Optimizer ? pool.Workers : 1);
}
