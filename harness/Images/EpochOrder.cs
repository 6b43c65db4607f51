using LutNative.Model.Numerics;

namespace LutNative.Harness.Images;

/// <summary>
/// The order of an epoch: samples sorted by unique 64-bit keys, (32 random bits addressed by sample, epoch and stage)
/// &lt;&lt; 32 | sample. Batch s is places [s*B, (s+1)*B); what does not fill a batch is dropped.
/// </summary>
public static class EpochOrder
{
    public static int[] Draw(ulong seed, uint epoch, uint stage, int count)
    {
        var order = new int[count];
        Draw(seed, epoch, stage, order, new ulong[count]);
        return order;
    }

    /// <summary>Into order, with keys of the same length as scratch.</summary>
    public static void Draw(ulong seed, uint epoch, uint stage, Span<int> order, Span<ulong> keys)
    {
        for (int i = 0; i < order.Length; i++)
            keys[i] = (ulong)new Philox(seed, Purpose.Shuffle, (ulong)i, epoch, stage).NextUInt() << 32 | (uint)i;
        keys.Sort();
        for (int i = 0; i < order.Length; i++)
            order[i] = (int)(uint)keys[i];
    }
}
