namespace LutNative.Model.Checkpoints;

/// <summary>
/// Which names are an encoder's: they decide what a network computes from an image. All others belong to a decoder, a
/// head, or to training.
/// </summary>
public static class EncoderNames
{
    /// <summary>The one tensor that every vision transformer of ours has.</summary>
    internal const string Anchor = "patch_embed.proj.weight";

    /// <summary>
    /// Beginnings of names in timm, DINO, DINOv2 and BEiT. "norm" is the final norm; "fc_norm" is a classifier's, which
    /// stands in its place.
    /// </summary>
    private static readonly string[] Beginnings =
    [
        "blocks.",
        "norm.",
        "norm_pre.",
        "patch_embed.",
        "cls_token",
        "pos_embed",
        "dist_token",
        "reg_token",
        "register_tokens",
        "storage_tokens",
        "rope",
        "rel_pos_bias",
        "embeddings.",
        "encoder.",
        "layers.",
        "ln_pre.",
    ];

    public static bool Is(string name) => Beginnings.Any(b => name.StartsWith(b, StringComparison.Ordinal));

    /// <summary>Values of training: moments, scaler, schedule.</summary>
    internal static bool IsOfTraining(string name) =>
        name.Split('.') is var parts
        && parts.Any(p =>
            p
                is "exp_avg"
                    or "exp_avg_sq"
                    or "optimizer"
                    or "optimizer_states"
                    or "optimizers"
                    or "momentum_buffer"
                    or "scaler"
                    or "lr_scheduler"
        );
}
