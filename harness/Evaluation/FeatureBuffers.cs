using LutNative.Model.Devices;
using LutNative.Model.Networks;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>A worker's buffers while it makes features of S images at once, all P patches visible.</summary>
internal sealed class FeatureBuffers(VitShape shape, int images, Device device, Arena arena)
{
    internal EncoderActivations Encoder { get; } = new(arena, shape, images, shape.Grid.Patches, training: false);
    internal HostInput Image { get; } = new(device, shape.Grid.ImageFloats); // [1, C*Y*X]
    internal Mat Normed { get; } = arena.Matrix(images * (shape.Grid.Patches + 1), shape.Width); // [S*(P+1), D]
    internal Mat Stats { get; } = arena.Matrix(images * (shape.Grid.Patches + 1), 2); // [S*(P+1), 2]
    internal Mat Pooled { get; } = arena.Matrix(images, shape.Width); // [S, D]
}
