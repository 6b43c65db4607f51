using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>The samples of pre-training: each depends on (seed, step, position) alone, whichever thread makes it.</summary>
public sealed class PretrainSamples(ProtocolSpec protocol, Views views)
{
    private readonly int stepsPerEpoch = views.Images.Count / protocol.Pretrain.Batch;
    private readonly SampleOrder order = new(
        (ulong)protocol.Seed,
        StageId.Pretrain,
        views.Images.Count,
        protocol.Pretrain.Batch
    );

    /// <summary>The images of a step's batch.</summary>
    public ReadOnlySpan<int> Of(long step) => order.Of(step);

    /// <summary>
    /// Makes the sample at a position of a step: views u and v (empty for MAE), normalised planes, and the sort keys of
    /// its mask.
    /// </summary>
    public void Fill(long step, int position, Span<float> u, Span<float> v, Span<ulong> keys)
    {
        int sample = order.Of(step)[position];
        uint epoch = (uint)(step / stepsPerEpoch);
        views.Weak(sample, epoch, ViewNumber.Weak, u);
        if (!v.IsEmpty)
            views.Strong(sample, epoch, ViewNumber.Strong, v);
        views.MaskKeys(sample, epoch, keys);
    }
}
