using System.Diagnostics;
using System.Globalization;

namespace LutNative.Harness.Images;

/// <summary>Progress of work that takes long: a line every ten seconds with the rate and the time that is left. Any
/// thread may count.</summary>
internal sealed class LongWork(string what, long total, Action<string>? say)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private readonly long began = Stopwatch.GetTimestamp();
    private long done;
    private long told = Stopwatch.GetTimestamp();

    internal void One()
    {
        long n = Interlocked.Increment(ref done);
        long last = Interlocked.Read(ref told);
        if (
            say is null
            || Stopwatch.GetElapsedTime(last) < Every
            || Interlocked.CompareExchange(ref told, Stopwatch.GetTimestamp(), last) != last
        )
            return;
        double rate = n / Stopwatch.GetElapsedTime(began).TotalSeconds;
        say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: {n} of {total}, {rate:f0} images/s, ETA "
                    + $"{TimeSpan.FromSeconds((total - n) / Math.Max(rate, 1e-9)):hh\\:mm\\:ss}"
            )
        );
    }
}
