using LutNative.Model.Networks;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>What a picture of reconstructions of N images needs.</summary>
internal sealed class ReconstructionBuffers(Lut net, MaskPlan mask, int images, Arena arena)
{
    internal EncoderActivations Encoder { get; } = new(arena, net.Mae.Shape, images, mask.Kept, training: false);
    internal DecoderActivations Decoder { get; } = new(arena, net.Mae.Shape, net.Mae.DecoderShape, images, mask.Kept);
}
