using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>The stages that there are, in the order in which a run has them.</summary>
public sealed class StageCatalog(IReadOnlyList<IStage> stages)
{
    /// <summary>Those of the program, in the order of <see cref="StageId.All"/>.</summary>
    public static StageCatalog Default { get; } =
        new([
            new PretrainStage(),
            new KnnStage(),
            new ProbeStage(),
            new LinprobeStage(),
            new FinetuneStage(),
            new ScratchStage(),
            new RawStage(),
        ]);

    public IReadOnlyList<IStage> All { get; } = stages;

    /// <summary>Those with checkpoints, in order.</summary>
    public IReadOnlyList<StageId> Trained { get; } = [.. stages.Where(s => s.Trains).Select(s => s.Id)];

    /// <summary>What `lut bench --stage` may name.</summary>
    public IEnumerable<ITrainedStage> Benched => All.OfType<ITrainedStage>().Where(s => s.IsBenched);

    /// <exception cref="ArgumentException">There is none.</exception>
    public IStage this[StageId id] =>
        All.FirstOrDefault(s => s.Id == id) ?? throw new ArgumentException($"there is no stage {id}", nameof(id));

    /// <summary>By its name on a command line or in a table; null where there is none.</summary>
    public IStage? Find(string name) => All.FirstOrDefault(s => s.Id.Name == name);

    /// <summary>Those of some names, in the order of a run.</summary>
    public IEnumerable<IStage> Of(IEnumerable<StageId> ids) => All.Where(s => ids.Contains(s.Id));
}
