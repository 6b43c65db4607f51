using System.Diagnostics;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Training;

namespace LutNative.Harness.Recording;

/// <summary>
/// Progress on standard error: one line that rewrites itself on a terminal (bar, loss, images/s, ETA); elsewhere plain
/// key=value lines, at most one in ten seconds. Never on standard output.
/// </summary>
public sealed class Progress(bool quiet)
{
    private static readonly TimeSpan Lines = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Live = TimeSpan.FromMilliseconds(200);
    private readonly bool terminal =
        !Console.IsErrorRedirected
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term
        && term != "dumb"
        && Environment.GetEnvironmentVariable("NO_COLOR") is null or ""
        && Environment.GetEnvironmentVariable("CI") is null or "";
    private string stage = "";
    private long first;
    private long steps;
    private long batch;
    private long started;
    private long shown;
    private double loss;
    private bool any;

    public void Begin(string stage, long from, long steps, int batch)
    {
        (this.stage, first, this.steps, this.batch) = (stage, from, steps, batch);
        (started, shown, any) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp(), false);
    }

    public void Step(long done, StepReport r)
    {
        loss = any ? loss + 0.05 * (r.Loss - loss) : r.Loss;
        any = true;
        if (quiet || (Stopwatch.GetElapsedTime(shown) < (terminal ? Live : Lines) && done != steps))
            return;
        shown = Stopwatch.GetTimestamp();
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double rate = (done - first) * batch / Math.Max(seconds, 1e-9);
        var eta = TimeSpan.FromSeconds((steps - done) * batch / Math.Max(rate, 1e-9));
        var c = CultureInfo.InvariantCulture;
        if (terminal)
        {
            int filled = (int)(30 * done / steps);
            Console.Error.Write(
                string.Create(
                    c,
                    $"\r\x1b[2K{stage, -9} [{new string('#', filled)}{new string('.', 30 - filled)}] "
                        + $"{100.0 * done / steps, 5:f1} %  loss {loss:f4}  {rate:f0} img/s  ETA "
                        + $"{eta:hh\\:mm\\:ss}"
                )
            );
        }
        else
            Console.Error.WriteLine(
                string.Create(
                    c,
                    $"stage={stage} step={done}/{steps} loss={loss:f4} lr={r.Lr:g4} img_per_s={rate:f0} "
                        + $"eta_s={eta.TotalSeconds:f0}"
                )
            );
    }

    public void End()
    {
        if (terminal && !quiet && any)
            Console.Error.WriteLine();
    }

    /// <summary>What people must know even when they asked for silence.</summary>
    public static void Warn(string text)
    {
        try
        {
            Console.Error.WriteLine("warning: " + text);
        }
        catch (IOException)
        {
            // nobody listens: that ends no run
        }
    }

    public void Say(string text)
    {
        if (!quiet)
            Console.Error.WriteLine(Plain.OneLine(text)); // names of files and weights are in it
    }
}
