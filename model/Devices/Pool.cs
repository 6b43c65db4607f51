using LutNative.Model.Numerics;

namespace LutNative.Model.Devices;

/// <summary>
/// A fixed set of compute threads. <see cref="Run"/> hands out items by an interlocked counter: which thread takes an item never
/// changes a bit, because an item's result depends on its index alone. The caller's thread works too.
/// </summary>
public sealed class Pool : IDisposable
{
    private readonly Thread[] threads;
    private readonly SemaphoreSlim start = new(0), done = new(0);
    private Action<int, int>? body;
    private int next, items;
    private volatile bool closing;
    private Exception? failure;
    private volatile Exception? unfit;   // a worker's self-test, kept apart: it must survive until the next Run

    public Pool(int workers)
    {
        if (workers < 1) throw new ArgumentOutOfRangeException(nameof(workers), workers, "at least one thread is needed");
        Workers = workers;
        Clock = new PhaseClock(workers);
        if (SelfTest.Failure() is { } why) throw new UnfitMachineException(why);
        threads = new Thread[workers - 1];
        for (int i = 0; i < threads.Length; i++)
        {
            int worker = i + 1;
            threads[i] = new Thread(() => Loop(worker), 16 << 20) { IsBackground = true, Name = $"lut worker {worker}" };
            threads[i].Start();
        }
    }

    public int Workers { get; }

    /// <summary>Who was busy with what.</summary>
    public PhaseClock Clock { get; }

    /// <summary>Calls body(item, worker) for every item in [0, count); returns when all are done. Rethrows the first failure.</summary>
    public void Run(int count, Action<int, int> body)
    {
        if (count <= 0) return;
        if (threads.Length == 0 || count == 1)
        {
            for (int i = 0; i < count; i++) body(i, 0);
            return;
        }
        this.body = body;
        items = count;
        next = 0;
        failure = null;
        int helpers = Math.Min(threads.Length, count - 1);
        start.Release(helpers);
        Work(0);
        for (int i = 0; i < helpers; i++) done.Wait();
        this.body = null;
        if ((unfit ?? failure) is { } e) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
    }

    private void Loop(int worker)
    {
        if (SelfTest.Failure() is { } why) unfit = new UnfitMachineException(why);
        while (true)
        {
            start.Wait();
            if (closing) return;
            Work(worker);
            done.Release();
        }
    }

    private void Work(int worker)
    {
        try
        {
            for (int i = Interlocked.Increment(ref next) - 1; i < items; i = Interlocked.Increment(ref next) - 1) body!(i, worker);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref failure, e, null);
            next = items;
        }
    }

    public void Dispose()
    {
        closing = true;
        if (threads.Length > 0) start.Release(threads.Length);
        foreach (var t in threads) t.Join();
    }
}

/// <summary>This machine cannot keep the contract (NUMERICS rule 1).</summary>
public sealed class UnfitMachineException(string message) : Exception(message);
