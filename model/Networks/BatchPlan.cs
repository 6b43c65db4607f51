using System.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// How a global batch is cut. Grain and BnBatch are part of the protocol; MicroBatch only decides memory and never
/// changes a bit.
/// </summary>
/// <param name="Batch">Samples of one optimiser step: a whole number of BN batches.</param>
/// <param name="BnBatch">Samples that share batch-norm statistics and loss averages: a multiple of Grain.</param>
/// <param name="Grain">Samples whose gradient is one chain; divides BnBatch.</param>
/// <param name="MicroBatch">Samples of a grain that run through the network at once; divides Grain.</param>
/// <param name="GrainsAtOnce">
/// Whole grains that run at once, a power of two that divides the BN batch's grains: for devices that want large
/// launches.
/// </param>
public sealed record BatchPlan(int Batch, int BnBatch, int Grain, int MicroBatch, int GrainsAtOnce = 1)
{
    /// <summary>BN batches of a step.</summary>
    public int Accum => Batch / BnBatch;

    public int GrainsPerBnBatch => BnBatch / Grain;
    public int MicrosPerGrain => Grain / MicroBatch;

    /// <summary>Groups of grains that run at once, in a BN batch.</summary>
    public int Groups => GrainsPerBnBatch / GrainsAtOnce;

    /// <summary>Samples of a group.</summary>
    public int GroupSamples => Grain * GrainsAtOnce;

    /// <summary>Samples of one pass through the network, S.</summary>
    public int Samples => MicroBatch * GrainsAtOnce;

    /// <summary>Leaves of a step's gradient tree: a group's grains are summed before they come to it.</summary>
    public int Leaves => Batch / GroupSamples;

    /// <exception cref="ShapeException">A number is not a positive multiple of the next.</exception>
    public void Check()
    {
        bool positive = Batch > 0 && BnBatch > 0 && Grain > 0 && MicroBatch > 0;
        if (!positive || Batch % BnBatch != 0 || BnBatch % Grain != 0 || Grain % MicroBatch != 0)
            throw new ShapeException(
                $"batch {Batch}, bn_batch {BnBatch}, grain {Grain}, micro_batch {MicroBatch}: "
                    + "each must be a positive multiple of the next"
            );
        bool whole = GrainsAtOnce == 1 || MicroBatch == Grain;
        if (!whole || !BitOperations.IsPow2(GrainsAtOnce) || GrainsPerBnBatch % GrainsAtOnce != 0)
            throw new ShapeException(
                $"{GrainsAtOnce} grains at once: a power of two that divides {GrainsPerBnBatch}, of whole grains"
            );
    }
}
