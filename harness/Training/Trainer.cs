using LutNative.Harness.Errors;
using LutNative.Model.Devices;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

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
/// <param name="Inject">A fault to plant, for drills; the run is then marked +injected.</param>
/// <param name="TraceStep">Record every operation of this step of each stage; negative for none.</param>
/// <param name="StopAfter">
/// Stop with a checkpoint, as Ctrl-C would, after this many steps of this process; 0 means never. For tests and drills.
/// </param>
/// <param name="FrozenData">
/// Every step sees the first batch, made once: `lut bench` measures the step alone. Never set by a run.
/// </param>
public sealed record ExecOptions(
    int Threads,
    int MicroBatch,
    int DataWorkers,
    CheckpointInterval CheckpointEvery,
    bool Recompute = false,
    long StopAfter = 0,
    bool FrozenData = false,
    int KeepEpochs = 0,
    Fault? Inject = null,
    long TraceStep = -1
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

/// <summary>
/// What one optimiser step reports. Recon and Context are null where the stage has no such loss; Views and Masks in
/// steps that are not digested.
/// </summary>
public readonly record struct StepReport(
    double Lr,
    float Loss,
    float? Recon,
    float? Context,
    float GradNorm,
    Digest BatchIds,
    long DataNs,
    Digest? Views = null,
    Digest? Masks = null
);

/// <summary>A stage that is trained step by step: pre-training, fine-tuning, or training from scratch.</summary>
public abstract class Trainer(Device device) : IDisposable
{
    public abstract string Stage { get; }
    public abstract int StepsPerEpoch { get; }
    public abstract int Epochs { get; }
    public abstract int Batch { get; }
    public abstract int DigestEvery { get; }
    public long Steps => (long)StepsPerEpoch * Epochs;

    /// <summary>Whether the state is digested after step s.</summary>
    public bool Digested(long s) => (s + 1) % DigestEvery == 0 || s + 1 == Steps;

    public Device Device { get; } = device;
    public Arena Arena { get; } = device.NewArena();

    /// <summary>Runs step s (from 0); its result depends on the state and s alone.</summary>
    public abstract StepReport Step(long s);

    /// <summary>The state by name, in a fixed order: parameters and buffers, moments, teacher.</summary>
    public abstract IEnumerable<(string Name, State State)> States { get; }

    /// <summary>
    /// Its moments are in <see cref="States"/>, its beta products are checkpointed beside the tensors. Null where the
    /// optimiser has no such products.
    /// </summary>
    public abstract AdamWOptimizer? Optimizer { get; }

    /// <summary>Digest of every tensor, "student/blocks.0...", computed over all workers.</summary>
    public List<TensorDigest> Digests(Pool pool)
    {
        var jobs = States
            .SelectMany(s =>
                s.State.Layout.Entries.Where(e =>
                        e.Kind == EntryKind.Parameter || s.Name is not ("exp_avg" or "exp_avg_sq")
                    )
                    .Select(e => (s.Name, s.State, Entry: e))
            )
            .ToArray();
        var digests = new TensorDigest[jobs.Length];
        pool.Run(
            jobs.Length,
            (i, _) =>
            {
                var (name, state, e) = jobs[i];
                digests[i] = new TensorDigest($"{name}/{e.Name}", [.. e.Shape.Select(n => (long)n)], state.DigestOf(e));
            }
        );
        var all = digests.ToList();
        foreach (var (name, state) in States.Where(s => s.Name is not ("exp_avg" or "exp_avg_sq")))
            for (int i = 0; i < state.Counters.Length; i++)
                all.Add(
                    new TensorDigest($"{name}/{state.Layout.Counters[i]}", [1], Digest.Of([(int)state.Counters[i]]))
                );
        return all;
    }

    /// <summary>
    /// The parameter (or gradient of it, or the teacher's) that an address lies in, for people; null for any other.
    /// </summary>
    public string? NameOf(nint address)
    {
        foreach (var (name, state) in States)
            if (state.Values.OffsetOf(address) is { } at)
                return (name == "student" ? "" : name + "/") + state.Layout.At(at)?.Name;
        return GradientOffset(address) is { } g ? States.First().State.Layout.At(g)?.Name : null;
    }

    /// <summary>Where in the student's layout an address of the running step's gradients is.</summary>
    protected virtual long? GradientOffset(nint address) => null;

    /// <summary>Flips one bit of one element: a fault planted on purpose, to see it found.</summary>
    public void Plant(BitFlip f)
    {
        var (_, state) = States.FirstOrDefault(s => s.Name == f.State);
        if (state is null)
            throw new LutError(
                Exit.Usage,
                27,
                $"{Stage} has no state {f.State}",
                "--inject",
                "states are " + string.Join(", ", States.Select(s => s.Name)),
                $"did you mean {Protocol.Nearest.To(f.State, States.Select(s => s.Name))}?"
            );
        var e =
            state.Layout.Find(f.Tensor)
            ?? throw new LutError(
                Exit.Usage,
                28,
                $"the network has no tensor {f.Tensor}",
                "--inject",
                "tensors have the names of the checkpoint",
                $"did you mean {Protocol.Nearest.To(f.Tensor, state.Layout.Entries.Select(x => x.Name))}?"
            );
        if (f.Element >= e.Count)
            throw new LutError(
                Exit.Usage,
                29,
                FormattableString.Invariant($"{e.Name} has {e.Count} elements"),
                "--inject",
                FormattableString.Invariant($"there is no element {f.Element}"),
                "count from 0"
            );
        var values = new float[e.Count];
        state.Read(e, values);
        values[f.Element] = BitConverter.UInt32BitsToSingle(
            BitConverter.SingleToUInt32Bits(values[f.Element]) ^ 1u << f.Bit
        );
        state.Write(e, values);
    }

    public virtual void Dispose()
    {
        Arena.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static double BaseRate(double blr, string rule, int batch) =>
        rule switch
        {
            "linear/256" => blr * batch / 256,
            "sqrt/4" => blr * Math.Sqrt(batch) / 4,
            "sqrt/8" => blr * Math.Sqrt(batch) / 8,
            _ => blr,
        };
}

/// <summary>The digest of one named tensor.</summary>
public sealed record TensorDigest(string Tensor, long[] Shape, Digest Value);
