namespace LutNative.Model.Networks;

/// <summary>Where a fine-tuning step's samples come from; called from several workers at once.</summary>
public interface ILabelledSource
{
    /// <summary>Fills the (mixed) image and the soft target of a position in the global batch.</summary>
    void Load(int position, Span<float> image, Span<float> target);

    /// <summary>
    /// Uniform draw in [0, 1) of a sample's branch (0 attention, 1 MLP) of a block; kept when keep + draw >= 1.
    /// </summary>
    float DropPathDraw(int position, int block, int branch);
}
