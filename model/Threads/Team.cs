namespace LutNative.Model.Threads;

/// <summary>
/// Threads that work on one item together, because there are fewer items than threads. The leader runs the item; an
/// operation that can splits its outputs into parts with <see cref="Run{T}"/>, which all members take. Helpers wait by
/// yielding: parts follow each other within microseconds.
/// </summary>
internal sealed class Team
{
    private const int Most = 0xffff;

    [ThreadStatic]
    private static Team? current;

    private Job? job;
    private Exception? failure;
    private volatile bool closed;

    // round << 32 | parts << 16 | next part: one word, so that nobody takes a part of another round
    private long ticket;
    private int size = 1;
    private int finished;

    /// <summary>The team that the calling thread leads, or null.</summary>
    internal static Team? Current
    {
        get => current;
        set => current = value;
    }

    /// <summary>Parts that an operation with so many units of work should have.</summary>
    internal static int PartsFor(int units) => current is { } team ? Math.Clamp(units, 1, team.size) : 1;

    /// <summary>
    /// Calls body(part, 0, state) for every part in [0, count), on all members; outside a team, here.
    /// </summary>
    internal static void Run<T>(int count, T state, Action<int, int, T> body)
    {
        if (count > 1 && count <= Most && current is { size: > 1 } team)
            team.Fork(count, Job<T>.Of(state, body));
        else
            for (int i = 0; i < count; i++)
                body(i, 0, state);
    }

    internal void Open(int members)
    {
        size = members;
        failure = null;
        closed = false;
    }

    internal void Close() => closed = true;

    /// <summary>A helper's life inside one item.</summary>
    internal void Help()
    {
        var wait = new SpinWait();
        while (!closed)
            if (Take())
                wait.Reset();
            else
                wait.SpinOnce(sleep1Threshold: -1);
    }

    private void Fork(int count, Job work)
    {
        job = work;
        finished = 0;
        Volatile.Write(ref ticket, ((ticket >> 32) + 1 << 32) | (long)count << 16);
        current = null; // a part is not split again
        Take();
        var wait = new SpinWait();
        while (Volatile.Read(ref finished) < count)
            wait.SpinOnce(sleep1Threshold: -1);
        current = this;
        job = null;
        if (failure is { } e)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
    }

    /// <summary>Takes parts while there are any; false when there was none.</summary>
    private bool Take()
    {
        bool any = false;
        while (true)
        {
            long t = Volatile.Read(ref ticket);
            int part = (int)(t & Most);
            if (part >= (int)(t >> 16 & Most))
                return any;
            if (Interlocked.CompareExchange(ref ticket, t + 1, t) != t)
                continue;
            any = true;
            try
            {
                job!.Do(part, 0);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
            Interlocked.Increment(ref finished);
        }
    }
}
