using LutNative.Model.Networks;

namespace LutNative.Harness.Training;

/// <summary>What a classifier's step asks for: images with their targets, and draws for drop path.</summary>
/// <param name="image">Floats of an image.</param>
/// <param name="classes">Floats of a target.</param>
/// <param name="frozen">Every step sees the first batch, made once.</param>
public sealed class SupervisedFeed(
    SupervisedSamples samples,
    int batch,
    int image,
    int classes,
    int workers,
    bool frozen
) : BatchFeed(batch, image, classes, patches: 0, workers, frozen, samples.Fill), ILabelledSource
{
    void ILabelledSource.Load(int position, Span<float> to, Span<float> target) => Load(position, to, target, []);

    float ILabelledSource.DropPathDraw(int position, int block, int branch) =>
        samples.DropPathDraw(Current, position, block, branch);
}
