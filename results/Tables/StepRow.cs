namespace LutNative.Results;

/// <summary>
/// A training step. The bits columns are exact; the floats beside them are for people and queries.
/// </summary>
[Table("steps")]
public sealed record StepRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column("pretrain, finetune, scratch", Exact = true, Key = true)]
    public required string Stage { get; init; }

    [Column("from 0", Exact = true, Key = true)]
    public required long Step { get; init; }

    [Column("from 0", Exact = true)]
    public required int Epoch { get; init; }

    [Column("after the step", Exact = true)]
    public required long ImagesSeen { get; init; }

    [Column("before lr_scale")]
    public required double Lr { get; init; }

    [Column("bits of lr", Exact = true)]
    public required Bits64 LrBits { get; init; }

    [Column]
    public required float Loss { get; init; }

    [Column(Exact = true)]
    public required Bits32 LossBits { get; init; }

    [Column("L_MIM")]
    public required float? LossRecon { get; init; }

    [Column(Exact = true)]
    public required Bits32? LossReconBits { get; init; }

    [Column("L_BC")]
    public required float? LossContext { get; init; }

    [Column(Exact = true)]
    public required Bits32? LossContextBits { get; init; }

    [Column("before clipping")]
    public required float GradNorm { get; init; }

    [Column(Exact = true)]
    public required Bits32 GradNormBits { get; init; }

    [Column("16 bytes: which samples, in order", Exact = true)]
    public required DigestBytes BatchIdsDigest { get; init; }

    [Column("16 bytes: the whole state after the step, every digest_every steps", Exact = true)]
    public required DigestBytes? StateDigest { get; init; }

    [Column("ns")]
    public required long StepNs { get; init; }

    [Column("ns waited for data")]
    public required long DataNs { get; init; }

    [Column("16 bytes: the step's pixels after augmentation, when the state is digested", Exact = true, Since = 2)]
    public required DigestBytes? ViewsDigest { get; init; }

    [Column("16 bytes: the keys that its masks are drawn by", Exact = true, Since = 2)]
    public required DigestBytes? MaskDigest { get; init; }
}
