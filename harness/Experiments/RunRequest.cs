using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>One run of a protocol, or of some of its stages.</summary>
/// <param name="Output">The folder in which a new run gets its own.</param>
/// <param name="ResumeFolder">The interrupted run to go on with.</param>
/// <param name="Stages">Those that were asked for, whatever the protocol has.</param>
/// <param name="Checkpoint">Pre-trained weights to use instead of running pretrain, or to go on from.</param>
public sealed record RunRequest(
    ResolvedProtocol Protocol,
    ExecOptions Exec,
    Device Device,
    string Output,
    string? ResumeFolder,
    string? DataFolder,
    IReadOnlyList<StageId> Stages,
    string? Checkpoint,
    bool Quiet,
    string[] Argv
)
{
    /// <summary>Which set of weights of a foreign checkpoint; "" for the student's.</summary>
    public string Which { get; init; } = "";

    public DrillOptions Drill { get; init; } = DrillOptions.None;

    /// <summary>Run the first steps twice in different ways before anything else.</summary>
    public bool SelfCheck { get; init; }

    /// <summary>Stop at the first digest that the reference has another one of.</summary>
    public bool FailFast { get; init; }

    /// <summary>Folder for the image indexes; null for the usual places.</summary>
    public string? Index { get; init; }

    /// <summary>Where stages are found by their names.</summary>
    public StageCatalog Catalog { get; init; } = StageCatalog.Default;

    /// <summary>What the run's row names: all that were asked for and that the protocol has a section of.</summary>
    public IReadOnlyList<StageId> Planned =>
        [.. Catalog.Of(Stages).Where(s => s.In(Protocol.Spec) != StagePresence.Absent).Select(s => s.Id)];
}
