using LutNative.Results;

namespace LutNative.Harness.Images;

/// <summary>
/// Which look at an image a draw is for: the third word of its address. Part of the bit contract (docs/NUMERICS.md has
/// the table), so never renumber, and never use one twice.
/// </summary>
public static class ViewNumber
{
    /// <summary>Pre-training's first view, which is also the one that is masked.</summary>
    public const uint Weak = 0;

    /// <summary>Pre-training's second view.</summary>
    public const uint Strong = 1;

    /// <summary>MAE's linear probe.</summary>
    public const uint Linprobe = 20;

    private const uint FirstSupervised = 10;

    /// <summary>Fine-tuning's 11, training from scratch's 12.</summary>
    public static uint Supervised(StageId stage) => FirstSupervised + stage.Word;
}
