using System.Diagnostics;
using LutNative.Model.Networks;

namespace LutNative.Harness.Training;

/// <summary>
/// Hands samples to the step. With data workers, the next batch is prepared on threads of their own while this one is computed; without, each sample
/// is made where it is needed. A sample depends on (step, position) alone, so the number of workers cannot change a bit.
/// </summary>
public sealed class BatchFeed : ISampleSource, IDisposable
{
    public delegate void FillSample(long step, int position, Span<float> u, Span<float> v, Span<ulong> keys);

    private sealed class Buffer(int batch, int floats, int views, int patches)
    {
        public readonly float[] Pixels = new float[(long)batch * floats * views];
        public readonly ulong[] Keys = new ulong[batch * patches];
        public long Step = -1;
        public Task[] Tasks = [];
    }

    private readonly int batch, floats, views, patches, workers;
    private readonly FillSample fill;
    private readonly Buffer[] buffers;
    private Buffer? current;
    private long step;

    public BatchFeed(int batch, int imageFloats, int views, int patches, int workers, FillSample fill)
    {
        (this.batch, floats, this.views, this.patches, this.workers, this.fill) = (batch, imageFloats, views, patches, workers, fill);
        buffers = workers == 0 ? [] : [new Buffer(batch, imageFloats, views, patches), new Buffer(batch, imageFloats, views, patches)];
    }

    /// <summary>Nanoseconds the last <see cref="Begin"/> waited for data.</summary>
    public long WaitNs { get; private set; }

    public void Begin(long s, long steps)
    {
        step = s;
        if (workers == 0) return;
        current = buffers[s % 2];
        if (current.Step != s) Prepare(current, s);
        long before = Stopwatch.GetTimestamp();
        Task.WaitAll(current.Tasks);
        WaitNs = (long)Stopwatch.GetElapsedTime(before).TotalNanoseconds;
        if (s + 1 < steps) Prepare(buffers[(s + 1) % 2], s + 1);
    }

    public void Load(int position, Span<float> u, Span<float> v, Span<ulong> keys)
    {
        if (current is null)
        {
            fill(step, position, u, v, keys);
            return;
        }
        var pixels = current.Pixels.AsSpan(position * floats * views, floats * views);
        pixels[..floats].CopyTo(u);
        if (!v.IsEmpty) pixels[floats..].CopyTo(v);
        current.Keys.AsSpan(position * patches, patches).CopyTo(keys);
    }

    private void Prepare(Buffer b, long s)
    {
        Task.WaitAll(b.Tasks);
        b.Step = s;
        int next = -1;
        b.Tasks = [.. Enumerable.Range(0, workers).Select(_ => Task.Factory.StartNew(() =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < batch;)
            {
                var pixels = b.Pixels.AsSpan(i * floats * views, floats * views);
                fill(s, i, pixels[..floats], views == 2 ? pixels[floats..] : default, b.Keys.AsSpan(i * patches, patches));
            }
        }, TaskCreationOptions.LongRunning))];
    }

    public void Dispose()
    {
        foreach (var b in buffers) Task.WaitAll(b.Tasks);
    }
}
