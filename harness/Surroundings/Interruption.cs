using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Surroundings;

/// <summary>How a verb ends when it is told to stop.</summary>
internal enum WhenTold
{
    /// <summary>By the signal itself: 128 + its number, as shells say it.</summary>
    BySignal,

    /// <summary>At once with exit 75: nothing was recorded, and it can simply be started again (nightly).</summary>
    StartAgain,

    /// <summary>After the step, with a checkpoint that `--resume` goes on from, with exit 75.</summary>
    AtCheckpoint,
}

/// <summary>
/// What happens when the process is told to stop (SIGINT, SIGTERM, SIGHUP; SIGQUIT is left alone). A verb that keeps
/// checkpoints finishes the step it is in, writes one, and ends with exit 75; outside of a step, or told a second time,
/// it ends at once: whatever is on disk is whole at every moment. Every other verb is ended by the signal itself, its
/// child processes with it. The state is the process's, as signals are.
/// </summary>
internal static partial class Interruption
{
    // `timeout` and batch systems send a signal to the process and again to its group: within this time it is the same
    // one
    private static readonly TimeSpan SameSignal = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UndoWithin = TimeSpan.FromSeconds(1);
    private static readonly CancellationTokenSource asked = new();
    private static readonly List<PosixSignalRegistration> registered = [];
    private static readonly List<Process> children = [];
    private static readonly List<Action> undone = [];
    private static readonly Lock gate = new();
    private static WhenTold ending;
    private static volatile bool over; // the process is being ended

    [ThreadStatic]
    private static bool undoing;

    private static int steps;
    private static long first;
    private static string? checkpoints;

    /// <summary>Cancelled by the first signal.</summary>
    internal static CancellationToken Asked => asked.Token;

    internal static void Watch(WhenTold ending)
    {
        Interruption.ending = ending;
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
            if (!Ignored(signal))
                registered.Add(PosixSignalRegistration.Create(signal, Handle));
    }

    /// <summary>
    /// While the result lives, a first signal waits: steps follow each other, and whoever makes them looks at <see
    /// cref="Asked"/> after each.
    /// </summary>
    internal static Steps InSteps()
    {
        lock (gate)
            steps++;
        return new Steps();
    }

    internal readonly struct Steps : IDisposable
    {
        public void Dispose()
        {
            lock (gate)
                steps--;
        }
    }

    /// <summary>Where the run keeps its checkpoints: what an aborted run can go on from.</summary>
    internal static void CheckpointsAre(string folder) => checkpoints = folder;

    /// <summary>A process that must not outlive this one.</summary>
    internal static void Adopt(Process child)
    {
        lock (gate)
            children.Add(child);
    }

    /// <summary>
    /// It has ended. Where that is because this process is being ended too, the caller has nothing more to say or do.
    /// </summary>
    internal static void Release(Process child)
    {
        lock (gate)
            children.Remove(child);
        if (over && !undoing)
            Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>What must be undone before the process ends, once its children have ended.</summary>
    internal static void Undo(Action action)
    {
        lock (gate)
            undone.Add(action);
    }

    internal static void Forget(Action action)
    {
        lock (gate)
            undone.Remove(action);
    }

    private static void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (gate)
        {
            if (over)
                return;
            long now = Stopwatch.GetTimestamp();
            bool again = first != 0;
            if (again && Stopwatch.GetElapsedTime(first, now) <= SameSignal)
                return;
            if (!again)
                first = now;
            over = again || ending != WhenTold.AtCheckpoint || steps == 0;
        }
        asked.Cancel();
        if (over)
            End(context.Signal);
        Console.Error.WriteLine(
            "\nstopping at the end of this step, with a checkpoint; a second signal stops at once and "
                + "gives up the steps since the last one"
        );
    }

    private static void End(PosixSignal signal)
    {
        Process[] mine;
        lock (gate)
            mine = [.. children];
        foreach (var child in mine)
            Kill(child);
        Task.WaitAny(Task.Run(UndoAll), Task.Delay(UndoWithin));
        int number = NumberOf(signal);
        if (ending == WhenTold.StartAgain)
        {
            Console.Error.WriteLine("interrupted: nothing was recorded; start it again");
            EndProcess((int)Exit.Interrupted);
        }
        if (ending == WhenTold.AtCheckpoint)
        {
            bool goOn =
                checkpoints is not null
                && Directory.Exists(checkpoints)
                && Directory.EnumerateFiles(checkpoints, "*.safetensors").Any();
            Console.Error.WriteLine(
                goOn
                    ? "interrupted: stopped at once; the last checkpoint is on disk, and only the work since "
                        + "is lost; go on with --resume auto"
                    : "interrupted: stopped at once; there was no checkpoint yet: start again"
            );
            if (goOn)
                EndProcess((int)Exit.Interrupted);
        }
        if (!OperatingSystem.IsWindows())
        {
            // by the signal itself, so that a shell's loop and a batch system see what happened
            SetHandler(number, 0);
            _ = SendSignal(Environment.ProcessId, number);
            Thread.Sleep(TimeSpan.FromSeconds(1));
        }
        EndProcess(128 + number);
    }

    private static void UndoAll()
    {
        undoing = true;
        Action[] actions;
        lock (gate)
            actions = [.. undone];
        foreach (var action in actions)
            try
            {
                action();
            }
            catch (Exception e) when (e is LutError or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine("warning: not tidied up: " + e.Message);
            }
    }

    private static int NumberOf(PosixSignal signal) =>
        signal switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            _ => 15,
        };

    private static void Kill(Process child)
    {
        try
        {
            child.Kill(entireProcessTree: true);
        }
        catch (Exception e)
            when (e
                    is InvalidOperationException
                        or System.ComponentModel.Win32Exception
                        or NotSupportedException
                        or AggregateException
            )
        {
            // it has ended by itself
        }
    }

    /// <summary>nohup, and shells for what runs behind, start programs with signals ignored: that stays so.</summary>
    private static bool Ignored(PosixSignal signal)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            string? line = File.ReadLines("/proc/self/status")
                .FirstOrDefault(l => l.StartsWith("SigIgn:", StringComparison.Ordinal));
            return line is not null
                && ulong.TryParse(
                    line.AsSpan(7).Trim(),
                    NumberStyles.HexNumber,
                    CultureInfo.InvariantCulture,
                    out ulong set
                )
                && (set >> (NumberOf(signal) - 1) & 1) != 0;
        }
        catch (Exception e) when (Files.Failed(e))
        {
            return false;
        }
    }

    /// <summary>
    /// Without waiting for threads: one may be inside a long product, or in a library that never returns.
    /// </summary>
    private static void EndProcess(int code)
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(code);
        ExitNow(code);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
