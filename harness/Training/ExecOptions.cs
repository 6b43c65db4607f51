using LutNative.Model.Devices;
using LutNative.Model.Networks;

namespace LutNative.Harness.Training;

/// <summary>How a run executes. Nothing here may change a bit (exec_hash).</summary>
/// <param name="Threads">Compute threads.</param>
/// <param name="MicroBatch">
/// Samples at once through the network; 0 means a whole grain. Rounded down to a divisor of the grain, or, on a GPU, to
/// whole grains.
/// </param>
/// <param name="DataWorkers">Threads that prepare the next batch; 0 prepares samples on the compute threads.</param>
/// <param name="CheckpointEvery">Time between checkpoints, asked for or adapted.</param>
/// <param name="Recompute">
/// Run the student's forward pass again in the backward phase instead of keeping activations.
/// </param>
/// <param name="KeepEpochs">A checkpoint at the end of every so many epochs is kept for good; 0 for none.</param>
public sealed record ExecOptions(
    int Threads,
    int MicroBatch,
    int DataWorkers,
    CheckpointInterval CheckpointEvery,
    bool Recompute = false,
    int KeepEpochs = 0
)
{
    /// <summary>
    /// How a batch is cut: parts of grains on the CPU; on a device that takes several leaves at once, as many whole
    /// grains as it wants, or as MicroBatch allows.
    /// </summary>
    public BatchPlan PlanOf(Device device, int batch, int bnBatch, int grain)
    {
        int micro = MicroOf(grain);
        int most = MicroBatch > 0 ? MicroBatch / grain : device.GrainsAtOnce;
        int n = 1;
        while (micro == grain && 2 * n <= Math.Min(most, device.GrainsAtOnce) && bnBatch / grain % (2 * n) == 0)
            n *= 2;
        if (!device.SumsByGrain)
            return new BatchPlan(batch, bnBatch, grain * n, micro * n);
        return new BatchPlan(batch, bnBatch, grain, micro, n);
    }

    private int MicroOf(int grain)
    {
        int m = MicroBatch <= 0 ? grain : Math.Min(MicroBatch, grain);
        while (grain % m != 0)
            m--;
        return m;
    }
}
