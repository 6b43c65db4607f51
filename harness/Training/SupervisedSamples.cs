using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>
/// The samples of supervised training, mixup and cutmix included: each depends on (seed, stage, step, position) alone,
/// whichever thread makes it.
/// </summary>
public sealed class SupervisedSamples(ProtocolSpec protocol, Views views, StageId stage)
{
    private readonly FinetuneSpec f = protocol.Finetune;
    private readonly ulong seed = (ulong)protocol.Seed;
    private readonly int mixBatch = protocol.Transform?.MixBatch ?? protocol.Finetune.Batch;
    private readonly int stepsPerEpoch = views.Images.Count / protocol.Finetune.Batch;
    private readonly SampleOrder order = new((ulong)protocol.Seed, stage, views.Images.Count, protocol.Finetune.Batch);

    [ThreadStatic]
    private static float[]? partner;

    /// <summary>The images of a step's batch.</summary>
    public ReadOnlySpan<int> Of(long step) => order.Of(step);

    /// <summary>Makes the sample at a position of a step: an image, mixed with its partner, and its target.</summary>
    public void Fill(long s, int position, Span<float> image, Span<float> target, Span<ulong> keys)
    {
        var ids = order.Of(s);
        uint epoch = Epoch(s);
        int group = position / mixBatch;
        int mine = ids[position];
        int other = ids[group * mixBatch + mixBatch - 1 - position % mixBatch];
        var mix = DrawMix(s, (uint)group);
        views.Train(mine, epoch, ViewNumber.Supervised(stage), image);
        if (mix.Lam < 1.0)
        {
            if (partner is null || partner.Length != image.Length)
                partner = new float[image.Length];
            views.Train(other, epoch, ViewNumber.Supervised(stage), partner);
            if (mix.Cut)
                Mixing.CutMix(image, partner, protocol.Data.ImageSize, mix.Box);
            else
                Mixing.MixUp(image, partner, mix.Lam);
        }
        Mixing.Target(target, views.Images.Labels[mine], views.Images.Labels[other], mix.Lam, f.Smoothing);
    }

    /// <summary>Uniform in [0, 1): whether a residual branch of a block is dropped for the sample at a position.</summary>
    public float DropPathDraw(long step, int position, int block, int branch) =>
        new Philox(
            seed,
            Purpose.DropPath,
            (ulong)order.Of(step)[position],
            Epoch(step),
            (stage.Word << 16) | (uint)(2 * block + branch)
        ).NextFloat();

    /// <summary>
    /// timm 0.4.12 Mixup in batch mode: one lambda, and one choice between mixup and cutmix, a group of samples (the
    /// batch of a process in the source).
    /// </summary>
    private (double Lam, bool Cut, Mixing.Box Box) DrawMix(long s, uint group)
    {
        var random = new Philox(seed, Purpose.Mix, (ulong)s, stage.Word, group);
        if ((f.Mixup <= 0 && f.Cutmix <= 0) || random.NextDouble() >= f.MixProb)
            return (1.0, false, default);
        bool cut = f.Mixup <= 0 || (f.Cutmix > 0 && random.NextDouble() < f.MixSwitchProb);
        double lam = BetaDistribution.Draw(ref random, cut ? f.Cutmix : f.Mixup);
        int size = protocol.Data.ImageSize;
        var box = Mixing.CutBox(size, lam, (int)random.NextBelow((uint)size), (int)random.NextBelow((uint)size));
        return cut ? (1.0 - box.Area / (double)(size * size), true, box) : (lam, false, default);
    }

    private uint Epoch(long s) => (uint)(s / stepsPerEpoch);
}
