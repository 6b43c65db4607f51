namespace LutNative.Results;

/// <summary>An evaluation: how many images were right.</summary>
[Table("evals")]
public sealed record EvalRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column(
        "knn_top1, probe_top1, linprobe_top1, finetune_top1, scratch_top1, raw_*; *_top5 from 100 " + "classes on",
        Exact = true,
        Key = true
    )]
    public required string Metric { get; init; }

    [Column(Exact = true)]
    public required string Split { get; init; }

    [Column("images", Exact = true)]
    public required long Correct { get; init; }

    [Column("images", Exact = true)]
    public required long N { get; init; }

    [Column("percent = 100 correct/n")]
    public required double Value { get; init; }

    [Column("16 bytes", Exact = true)]
    public required DigestBytes PredictionsDigest { get; init; }

    [Column("ns")]
    public required long WallNs { get; init; }
}
