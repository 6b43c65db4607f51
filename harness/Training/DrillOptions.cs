namespace LutNative.Harness.Training;

/// <summary>What is done to a run on purpose, to see that it is found or survived.</summary>
/// <param name="Inject">A fault to plant; the run is then marked +injected.</param>
/// <param name="TraceStep">Record every operation of this step of each stage; negative for none.</param>
/// <param name="StopAfter">
/// Stop with a checkpoint, as Ctrl-C would, after this many steps of this process; 0 means never.
/// </param>
public sealed record DrillOptions(Fault? Inject = null, long TraceStep = -1, long StopAfter = 0)
{
    public static DrillOptions None { get; } = new();

    /// <summary>Operations are looked at one by one, which needs an instrumented device.</summary>
    public bool WatchesOperations => Inject is WrongOperation || TraceStep >= 0;
}
