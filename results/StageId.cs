namespace LutNative.Results;

/// <summary>
/// A part of a run: its name, as tables, checkpoints and command lines have it, and its word in the addresses of random
/// draws. Names are part of the schema and words of the bit contract (docs/NUMERICS.md has the table of both): never
/// rename, never renumber, never use a word twice.
/// </summary>
/// <param name="Word">Which stage a draw is for: an epoch's order, mixing, drop path.</param>
public sealed record StageId(string Name, uint Word)
{
    public static StageId Pretrain { get; } = new("pretrain", 0);
    public static StageId Finetune { get; } = new("finetune", 1);

    /// <summary>Fine-tuning without pre-training.</summary>
    public static StageId Scratch { get; } = new("scratch", 2);

    /// <summary>Logistic regression on frozen features.</summary>
    public static StageId Probe { get; } = new("probe", 3);

    /// <summary>MAE's linear probe.</summary>
    public static StageId Linprobe { get; } = new("linprobe", 4);

    /// <summary>Nearest neighbours of frozen features; draws nothing.</summary>
    public static StageId Knn { get; } = new("knn", 5);

    /// <summary>Neighbours and a probe of raw pixels; the probe draws as <see cref="Probe"/> does.</summary>
    public static StageId Raw { get; } = new("raw", 6);

    /// <summary>In the order in which a run has them.</summary>
    public static IReadOnlyList<StageId> All { get; } = [Pretrain, Knn, Probe, Linprobe, Finetune, Scratch, Raw];

    /// <summary>Those with steps of their own in the tables, in the same order.</summary>
    public static IReadOnlyList<StageId> Trained { get; } = [Pretrain, Linprobe, Finetune, Scratch];

    /// <summary>null for a name that is no stage.</summary>
    public static StageId? Find(string name) => All.FirstOrDefault(s => s.Name == name);

    /// <summary>The name of its accuracy in the table evals, where it measures one.</summary>
    public string Top1 => Name + "_top1";

    public override string ToString() => Name;
}
