using LutNative.Harness.Protocol;
using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>What a stage begins with.</summary>
public enum StageInput
{
    /// <summary>Images alone.</summary>
    Images,

    /// <summary>The network that is pre-trained: by this stage, by one before it, or from outside.</summary>
    Trunk,

    /// <summary>That network's frozen features of both splits: they are made once for stages in a row.</summary>
    Features,
}

/// <summary>Whether a protocol has a stage.</summary>
public enum StagePresence
{
    /// <summary>It has no such section: a run's record does not name the stage.</summary>
    Absent,

    /// <summary>It has the section and switches the stage off: a run names it and does nothing.</summary>
    Off,

    On,
}

/// <summary>
/// One part of a run: everything that the harness knows about it. To add one, write a class and give it a line in <see
/// cref="StageCatalog.Default"/>; its <see cref="StageId"/> has a word that no other has, told in docs/NUMERICS.md.
/// </summary>
public interface IStage
{
    StageId Id { get; }

    StageInput Input { get; }

    /// <summary>
    /// What it measures, by the names of its rows in evals: it is over when all of them are there. Empty where it only
    /// trains.
    /// </summary>
    IReadOnlyList<string> Metrics { get; }

    StagePresence In(ProtocolSpec p);

    /// <summary>Whether it has optimiser steps, and so rows in steps and checkpoints of its own.</summary>
    bool Trains { get; }

    /// <summary>Optimiser steps of the whole stage; 0 where the protocol has none of it.</summary>
    long Steps(ProtocolSpec p);

    /// <summary>
    /// What its tensors take beside the pre-trained values, at the moments that may be its fullest: which one is depends
    /// on the device.
    /// </summary>
    IReadOnlyList<StageBytes> Moments(StageMemory memory);

    /// <summary>Runs it from where the newest checkpoint left it; what it finds goes into the run's tables.</summary>
    void Run(RunContext run);
}
