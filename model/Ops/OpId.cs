namespace LutNative.Model.Ops;

/// <summary>
/// Operations that a run may call: forward and backward of layers, losses, updates. The names are what traces print and
/// record, and what `--inject op=...` takes.
/// </summary>
public enum OpId
{
    GemmNt,
    GemmNn,
    GemmTn,
    GeluForward,
    GeluBackward,
    LayerNormForward,
    LayerNormBackward,
    BatchNormForward,
    BatchNormEvaluate,
    BatchNormBackward,
    AttentionForward,
    AttentionBackward,
    TokensEmbed,
    TokensEmbedBackward,
    TokensRestore,
    TokensRestoreBackward,
    PatchifyEmbed,
    PatchifyTarget,
    PoolForward,
    PoolBackward,
    PatchNormalise,
    PatchLoss,
    ContextLoss,
    CrossEntropy,
    Add,
    Scale,
    Relu,
    DropPath,
    ColumnSum,
    LeavesTree,
    SquaredNorm,
    AdamW,
    Average,
}

/// <summary>What is known of an operation by its name alone.</summary>
public static class OpIds
{
    extension(OpId op)
    {
        /// <summary>forward, backward or optimizer: the part of a step that the operation belongs to, as recorded.</summary>
        public string Phase =>
            op switch
            {
                OpId.AdamW or OpId.Average or OpId.SquaredNorm or OpId.Scale => "optimizer",
                OpId.GemmNn
                or OpId.GemmTn
                or OpId.GeluBackward
                or OpId.LayerNormBackward
                or OpId.BatchNormBackward
                or OpId.AttentionBackward
                or OpId.TokensEmbedBackward
                or OpId.TokensRestoreBackward
                or OpId.PoolBackward
                or OpId.Add
                or OpId.ColumnSum
                or OpId.LeavesTree => "backward",
                _ => "forward",
            };
    }
}
