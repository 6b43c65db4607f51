using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Threads;

namespace LutNative.Harness.Training;

/// <summary>
/// Hands samples to the step. With data workers, the next batch is prepared on threads of their own while this one is
/// computed; without, each sample is made where it is needed. A sample depends on (step, position) alone, so the number
/// of workers cannot change a bit.
/// </summary>
public class BatchFeed : ISampleSource, IDisposable
{
    public delegate void FillSample(long step, int position, Span<float> u, Span<float> v, Span<ulong> keys);

    private sealed class Buffer(int batch, int floats, int patches)
    {
        public readonly float[] Values = new float[(long)batch * floats];
        public readonly ulong[] Keys = new ulong[batch * patches];
        public long Step = -1;
    }

    private readonly int batch;
    private readonly int u;
    private readonly int v;
    private readonly int patches;
    private readonly bool frozen;
    private readonly FillSample fill;
    private readonly Buffer[] buffers;
    private readonly Thread[] threads;
    private readonly SemaphoreSlim wanted = new(0);
    private readonly SemaphoreSlim made = new(0);
    private Buffer? current;
    private Buffer? target;
    private Exception? failure;
    private volatile bool closing;
    private readonly Digest[] viewParts;
    private readonly Digest[] keyParts; // by position; made again, they are the same
    private bool digest;
    private int next;
    private int pending;
    private long step;

    /// <param name="u">Floats of a sample's first part: view u, or the image.</param>
    /// <param name="v">Floats of its second part: view v, or the target; may be 0.</param>
    /// <param name="frozen">Every step sees the first batch, made once: for measuring a step without its data.</param>
    public BatchFeed(int batch, int u, int v, int patches, int workers, bool frozen, FillSample fill)
    {
        this.batch = batch;
        this.u = u;
        this.v = v;
        this.patches = patches;
        this.frozen = frozen;
        this.fill = fill;
        viewParts = new Digest[batch];
        keyParts = new Digest[batch];
        threads = new Thread[frozen ? Math.Max(1, workers) : workers];
        buffers = new Buffer[BuffersOf(workers, frozen)];
        for (int i = 0; i < buffers.Length; i++)
            buffers[i] = new Buffer(batch, u + v, patches);
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Make) { IsBackground = true, Name = $"lut data {i}" };
            threads[i].Start();
        }
    }

    /// <summary>The step whose samples are handed out.</summary>
    public long Current => step;

    /// <summary>Bytes of the batches that are prepared ahead, on the host.</summary>
    /// <param name="floats">Of a sample, both parts.</param>
    public static long Bytes(int batch, int floats, int patches, int workers, bool frozen) =>
        BuffersOf(workers, frozen) * (long)batch * (floats * sizeof(float) + patches * sizeof(ulong));

    /// <summary>Nanoseconds the last <see cref="Begin"/> waited for data.</summary>
    public long WaitNs { get; private set; }

    /// <summary>
    /// Digest of the pixels, and of the mask keys, of the samples that the step has loaded; null unless <see
    /// cref="Begin"/> was asked for them.
    /// </summary>
    public (Digest Views, Digest Keys)? Digests()
    {
        if (!digest)
            return null;
        Digest views = default;
        Digest keys = default;
        for (int i = 0; i < batch; i++)
            (views, keys) = (views + viewParts[i], keys + keyParts[i]);
        return (views, keys);
    }

    /// <param name="digests">Also digest what is loaded.</param>
    public void Begin(long s, long steps, bool digests = false)
    {
        (step, digest) = (s, digests);
        if (threads.Length == 0 || (frozen && current is not null))
            return;
        long before = Stopwatch.GetTimestamp();
        Finish();
        current = buffers[frozen ? 0 : s % 2];
        if (current.Step != s)
        {
            Prepare(current, s);
            Finish();
        }
        WaitNs = (long)Stopwatch.GetElapsedTime(before).TotalNanoseconds;
        if (s + 1 < steps && !frozen)
            Prepare(buffers[(s + 1) % 2], s + 1);
    }

    public void Load(int position, Span<float> first, Span<float> second, Span<ulong> keys)
    {
        Give(position, first, second, keys);
        if (!digest)
            return;
        // samples lie behind one another, so that a swapped pair of them changes the sum
        viewParts[position] =
            Digest.Of(first, (long)position * (u + v)) + Digest.Of(second, (long)position * (u + v) + u);
        keyParts[position] = Digest.Of(MemoryMarshal.Cast<ulong, int>(keys), 2L * position * patches);
    }

    private void Give(int position, Span<float> first, Span<float> second, Span<ulong> keys)
    {
        if (current is null)
        {
            fill(step, position, first, second, keys);
            return;
        }
        var values = current.Values.AsSpan(position * (u + v), u + v);
        values[..u].CopyTo(first);
        values[u..].CopyTo(second);
        current.Keys.AsSpan(position * patches, patches).CopyTo(keys);
    }

    private void Prepare(Buffer b, long s)
    {
        b.Step = s;
        target = b;
        next = 0;
        pending = threads.Length;
        wanted.Release(threads.Length);
    }

    /// <summary>The running batch and the next; one where there is no next.</summary>
    private static int BuffersOf(int workers, bool frozen)
    {
        if (frozen)
            return 1;
        return workers == 0 ? 0 : 2;
    }

    /// <summary>Waits until nothing is being prepared.</summary>
    private void Finish()
    {
        for (; pending > 0; pending--)
            made.Wait();
        if (failure is { } e)
            ExceptionDispatchInfo.Throw(e);
    }

    /// <summary>A data worker's life. Which worker makes a sample, or how many of a batch, does not matter.</summary>
    private void Make()
    {
        while (true)
        {
            wanted.Wait();
            if (closing)
                return;
            try
            {
                var b = target!;
                for (int i; (i = Interlocked.Increment(ref next) - 1) < batch; )
                {
                    var values = b.Values.AsSpan(i * (u + v), u + v);
                    fill(b.Step, i, values[..u], values[u..], b.Keys.AsSpan(i * patches, patches));
                }
                // as compute threads are watched (Pool): pixels are computed here
                if (SelfTest.Drift() is { } why)
                    throw new UnfitMachineException(why, $"thread {Thread.CurrentThread.Name}");
            }
            catch (Exception e)
            {
                failure = e;
            }
            made.Release();
        }
    }

    public void Dispose()
    {
        for (; pending > 0; pending--)
            made.Wait();
        closing = true;
        if (threads.Length > 0)
            wanted.Release(threads.Length);
        foreach (var t in threads)
            t.Join();
        GC.SuppressFinalize(this);
    }
}
