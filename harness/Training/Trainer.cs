using LutNative.Harness.Errors;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>A stage that is trained step by step: pre-training, fine-tuning, or training from scratch.</summary>
public abstract class Trainer(Device device) : IDisposable
{
    public abstract StageId Id { get; }

    /// <summary>Its name, as it is recorded.</summary>
    public string Stage => Id.Name;
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
            throw FaultErrors.NoState(Stage, f.State, States.Select(s => s.Name));
        var e =
            state.Layout.Find(f.Tensor)
            ?? throw FaultErrors.NoTensor(f.Tensor, state.Layout.Entries.Select(x => x.Name));
        if (f.Element >= e.Count)
            throw FaultErrors.NoElement(e.Name, e.Count, f.Element);
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
