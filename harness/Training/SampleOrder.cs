using LutNative.Harness.Data;

namespace LutNative.Harness.Training;

/// <summary>
/// Which samples a step sees: the epoch's order (EpochOrder) cut into batches. The last drawn epoch is kept; data workers may already ask for the next
/// one, from several threads.
/// </summary>
public sealed class SampleOrder(ulong seed, uint stage, int count, int batch)
{
    private readonly Lock drawing = new();
    private readonly int stepsPerEpoch = count / batch;
    private int[] order = [];
    private long drawn = -1;

    /// <summary>The batch's samples, by place in the global batch.</summary>
    public ReadOnlySpan<int> Of(long step)
    {
        long epoch = step / stepsPerEpoch;
        lock (drawing)
        {
            if (epoch != drawn) (order, drawn) = (EpochOrder.Draw(seed, (uint)epoch, stage, count), epoch);
            return order.AsSpan((int)(step % stepsPerEpoch) * batch, batch);
        }
    }
}
