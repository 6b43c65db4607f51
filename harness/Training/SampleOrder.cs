using LutNative.Harness.Images;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>
/// Which samples a step sees: the epoch's order (EpochOrder) cut into batches. The last two drawn epochs are kept,
/// since data workers may already ask for the next one while this one is trained on; any thread may ask.
/// </summary>
public sealed class SampleOrder(ulong seed, StageId stage, int count, int batch)
{
    private readonly Lock drawing = new();
    private readonly int stepsPerEpoch = count / batch;
    private readonly int[][] orders = [new int[count], new int[count]];
    private readonly long[] drawn = [-1, -1];
    private readonly ulong[] keys = new ulong[count];

    /// <summary>
    /// The batch's samples, by place in the global batch; valid until the epoch after the next is asked for.
    /// </summary>
    public ReadOnlySpan<int> Of(long step)
    {
        long epoch = step / stepsPerEpoch;
        int slot = (int)(epoch % 2);
        // the lock is taken once an epoch: every sample of a step comes through here
        if (Volatile.Read(ref drawn[slot]) != epoch)
            lock (drawing)
                if (drawn[slot] != epoch)
                {
                    EpochOrder.Draw(seed, (uint)epoch, stage.Word, orders[slot], keys);
                    Volatile.Write(ref drawn[slot], epoch);
                }
        return orders[slot].AsSpan((int)(step % stepsPerEpoch) * batch, batch);
    }
}
