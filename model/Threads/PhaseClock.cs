using System.Diagnostics;

namespace LutNative.Model.Threads;

/// <summary>What a worker does inside an optimiser step.</summary>
public enum Phase
{
    /// <summary>Samples: augmentation, or the copy of prepared ones.</summary>
    Data,

    /// <summary>Student, decoder, teacher and reconstruction loss.</summary>
    Forward,

    /// <summary>Heads, batch norm and context loss over a BN batch.</summary>
    Heads,
    Backward,

    /// <summary>The tree T over leaf gradients.</summary>
    Reduce,

    /// <summary>Packing, gradient norm, AdamW and the teacher's average.</summary>
    Optimizer,
}

/// <summary>
/// Busy time by phase and worker; a few timestamps a micro-batch, so it is always on. Workers write to cache lines of
/// their own.
/// </summary>
public sealed class PhaseClock(int workers)
{
    private const int Stride = 16;
    private readonly long[] ticks = new long[(workers + 1) * Stride];

    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>Adds the time since a timestamp to a phase; returns the present, for the next one.</summary>
    public long Add(Phase phase, int worker, long since)
    {
        long now = Stopwatch.GetTimestamp();
        ticks[(worker + 1) * Stride + (int)phase] += now - since;
        return now;
    }

    /// <summary>Seconds of a phase, summed over workers.</summary>
    public double Seconds(Phase phase)
    {
        long sum = 0;
        for (int w = 0; w < workers; w++)
            sum += ticks[(w + 1) * Stride + (int)phase];
        return (double)sum / Stopwatch.Frequency;
    }

    public void Reset() => Array.Clear(ticks);
}
