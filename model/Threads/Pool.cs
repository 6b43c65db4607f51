using LutNative.Model.Numerics;

namespace LutNative.Model.Threads;

/// <summary>
/// A fixed set of compute threads. <see cref="Run{T}"/> hands out items by an interlocked counter: which thread takes
/// an item never changes a bit, because an item's result depends on its index alone. The caller's thread works too.
/// Items that are left when every thread could not have one get a <see cref="Team"/> of threads each, which operations
/// split their outputs over. In steady state nothing is allocated.
/// </summary>
public sealed class Pool : IDisposable
{
    private readonly Thread[] threads;
    private readonly Team[] teams;
    private readonly SemaphoreSlim[] start; // one a thread: each must take part exactly once
    private readonly SemaphoreSlim done = new(0);
    private Job? job;
    private int next;
    private int items;
    private int first;
    private int teamCount;
    private volatile bool closing;
    private Exception? failure;

    // a worker's self-test, kept apart: once found unfit, a pool computes nothing more
    private volatile Exception? unfit;

    public Pool(int workers)
    {
        if (workers < 1)
            throw new ArgumentOutOfRangeException(nameof(workers), workers, "at least one thread is needed");
        Workers = workers;
        Clock = new PhaseClock(workers);
        if (SelfTest.Failure() is { } why)
            throw new UnfitMachineException(why);
        teams = [.. Enumerable.Range(0, workers).Select(_ => new Team())];
        threads = new Thread[workers - 1];
        start = [.. threads.Select(_ => new SemaphoreSlim(0))];
        for (int i = 0; i < threads.Length; i++)
        {
            int worker = i + 1;
            threads[i] = new Thread(() => Loop(worker), 16 << 20)
            {
                IsBackground = true,
                Name = $"lut worker {worker}",
            };
            threads[i].Start();
        }
    }

    public int Workers { get; }

    /// <summary>Who was busy with what.</summary>
    public PhaseClock Clock { get; }

    /// <summary>
    /// Calls body(item, worker) for every item in [0, count); returns when all are done. Rethrows the first failure.
    /// </summary>
    public void Run(int count, Action<int, int> body) => Run(count, body, static (i, w, b) => b(i, w));

    /// <summary>
    /// Calls body(item, worker, state) for every item in [0, count); a static lambda and a struct as state allocate
    /// nothing.
    /// </summary>
    public void Run<T>(int count, T state, Action<int, int, T> body)
    {
        if (Workers == 1)
        {
            Watch();
            for (int i = 0; i < count; i++)
                body(i, 0, state);
            Watch();
            if (unfit is { } e)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
            return;
        }
        int left = count % Workers;
        if (count > left)
            Part(0, count - left, 0, state, body);
        // what is left over: one team an item
        if (left > 0)
            Part(count - left, left, left, state, body);
    }

    private void Part<T>(int from, int count, int teamsWanted, T state, Action<int, int, T> body)
    {
        job = Job<T>.Of(state, body);
        (first, items, next, teamCount, failure) = (from, count, 0, teamsWanted, null);
        for (int t = 0; t < teamsWanted; t++)
            teams[t].Open((Workers - t + teamsWanted - 1) / teamsWanted);
        foreach (var s in start)
            s.Release();
        Work(0);
        for (int i = 0; i < threads.Length; i++)
            done.Wait();
        job.Forget();
        job = null;
        if ((unfit ?? failure) is { } e)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
    }

    private void Loop(int worker)
    {
        if (SelfTest.Failure() is { } why)
            unfit = new UnfitMachineException(why);
        while (true)
        {
            start[worker - 1].Wait();
            if (closing)
                return;
            Work(worker);
            done.Release();
        }
    }

    /// <summary>
    /// Before and after every worker's share of every operation, so at least once a step and before each digest: what a
    /// library or a debugger has done to this thread's rounding is seen, and the work is refused as a whole. It is not
    /// stopped in its middle, since others may wait for this worker.
    /// </summary>
    private void Watch()
    {
        if (SelfTest.Drift() is { } why)
            unfit ??= new UnfitMachineException(why, $"thread {Thread.CurrentThread.Name ?? "main"}");
    }

    private void Work(int worker)
    {
        Watch();
        try
        {
            if (teamCount > 0)
                InTeam(worker);
            else
                for (int i = Interlocked.Increment(ref next) - 1; i < items; i = Interlocked.Increment(ref next) - 1)
                    job!.Do(first + i, worker);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref failure, e, null);
            next = items;
        }
        Watch();
    }

    /// <summary>Workers 0 to items - 1 lead an item each, the others help one of them.</summary>
    private void InTeam(int worker)
    {
        var team = teams[worker % teamCount];
        if (worker >= teamCount)
        {
            team.Help();
            return;
        }
        Team.Current = team;
        try
        {
            job!.Do(first + worker, worker);
        }
        finally
        {
            Team.Current = null;
            team.Close();
        }
    }

    public void Dispose()
    {
        closing = true;
        foreach (var s in start)
            s.Release();
        foreach (var t in threads)
            t.Join();
    }
}

/// <summary>A body with its state, kept by the calling thread and used again: one for each kind of state.</summary>
internal abstract class Job
{
    internal abstract void Do(int item, int worker);
    internal abstract void Forget();
}

internal sealed class Job<T> : Job
{
    [ThreadStatic]
    private static Job<T>? mine;

    private T state = default!;
    private Action<int, int, T> body = null!;

    internal static Job<T> Of(T state, Action<int, int, T> body)
    {
        var job = mine ??= new Job<T>();
        (job.state, job.body) = (state, body);
        return job;
    }

    internal override void Do(int item, int worker) => body(item, worker, state);

    internal override void Forget() => state = default!;
}

/// <summary>This machine cannot keep the contract (NUMERICS rule 1).</summary>
/// <param name="where">When it was seen: at the start, or in which step.</param>
public sealed class UnfitMachineException(string message, string where = "start-up self-test")
    : ModelException(ModelFault.Machine, message, where);
