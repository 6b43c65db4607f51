using System.Diagnostics;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Training;
using LutNative.Interop;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>Collects a run's rows and commits them as parts of its tables.</summary>
public sealed class Recorder(RunStore store, string runId, IReadOnlyDictionary<string, string> metadata)
{
    private readonly Table steps = new(Schema.Steps);
    private readonly Table digests = new(Schema.Digests);
    private readonly Table evals = new(Schema.Evals);
    private readonly Table predictions = new(Schema.Predictions);
    private readonly Table events = new(Schema.Events);
    private readonly Table telemetry = new(Schema.Telemetry);
    private readonly Table operations = new(Schema.Operations);
    private readonly Table checkpoints = new(Schema.Checkpoints);
    private static readonly TimeSpan TelemetryEvery = TimeSpan.FromSeconds(1);
    private readonly long started = Stopwatch.GetTimestamp();
    private long sampled;

    /// <summary>Looks whether the folder is still this run's, before each commit.</summary>
    public Action BeforeCommit { get; init; } = () => { };

    public RunStore Store { get; } = store;
    public string RunId { get; } = runId;

    /// <summary>Of every table of the run.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; } = metadata;

    public long StepsThisProcess { get; private set; }

    /// <summary>The GPU whose state is sampled, or null for the host's.</summary>
    public Nvml? Gpu { get; init; }

    public void Step(Trainer t, long s, StepReport r, List<TensorDigest>? state, long ns)
    {
        StepsThisProcess++;
        byte[]? digest = state is null ? null : Digest.Combine(state.Select(d => (d.Tensor, d.Value))).ToBytes();
        steps.Add(
            RunId,
            t.Stage,
            s,
            (int)(s / t.StepsPerEpoch),
            (s + 1) * t.Batch,
            r.Lr,
            BitConverter.DoubleToInt64Bits(r.Lr),
            r.Loss,
            Bits(r.Loss),
            r.Recon,
            Bits(r.Recon),
            r.Context,
            Bits(r.Context),
            r.GradNorm,
            Bits(r.GradNorm),
            r.BatchIds.ToBytes(),
            digest,
            ns,
            r.DataNs,
            r.Views?.ToBytes(),
            r.Masks?.ToBytes()
        );
        for (int i = 0; i < (state?.Count ?? 0); i++)
            digests.Add(
                RunId,
                t.Stage,
                s,
                i,
                state![i].Tensor,
                string.Join("x", state[i].Shape),
                state[i].Value.ToBytes()
            );
        if (StepsThisProcess == 1 || Stopwatch.GetElapsedTime(sampled) >= TelemetryEvery)
            Sample();
    }

    public void Operation(string stage, long step, Operation o) => AddOperation(operations, RunId, stage, step, o);

    public static void AddOperation(Table to, string runId, string stage, long step, Operation o) =>
        to.Add(
            runId,
            stage,
            step,
            o.Ordinal,
            o.Op.Phase,
            o.Op.ToString(),
            o.Tensor,
            o.Output,
            FormattableString.Invariant($"{o.Rows}x{o.Cols}"),
            o.Digest.ToBytes(),
            o.Nan,
            o.Inf,
            o.Zero,
            o.Subnormal
        );

    /// <summary>The machine's state, and the GPU's where there is one.</summary>
    private void Sample()
    {
        sampled = Stopwatch.GetTimestamp();
        var gpu = Gpu?.Read();
        telemetry.Add(
            RunId,
            0,
            (long)Stopwatch.GetElapsedTime(started).TotalNanoseconds,
            MachineState.Load1(),
            Environment.WorkingSet,
            gpu?.SmClockMhz ?? (Gpu is null ? MachineState.ClockMhz() : null),
            gpu?.PowerWatts,
            Gpu is null ? MachineState.EnergyJoules() : gpu?.EnergyJoules,
            gpu?.TemperatureC ?? (Gpu is null ? MachineState.Temperature() : null),
            gpu?.Slowdown is { } why ? string.Join(",", why) : null
        );
    }

    public void Eval(EvalResult e, long ns)
    {
        evals.Add(
            RunId,
            e.Metric,
            "test",
            (long)e.Correct,
            (long)e.Labels.Length,
            e.Accuracy,
            DigestOf(e).ToBytes(),
            ns
        );
        if (e.Ranks is { } ranks)
        {
            long five = e.Top5!.Value;
            evals.Add(
                RunId,
                e.Metric.Replace("_top1", "_top5", StringComparison.Ordinal),
                "test",
                five,
                (long)ranks.Length,
                100.0 * five / ranks.Length,
                Digest.Of(ranks).ToBytes(),
                ns
            );
        }
        for (int i = 0; i < e.Predicted.Length; i++)
            predictions.Add(RunId, e.Metric, i, e.Labels[i], e.Predicted[i], e.Margin[i], Bits(e.Margin[i]));
    }

    /// <summary>Of what was predicted, and by how much.</summary>
    internal static Digest DigestOf(EvalResult e) => Digest.Of(e.Predicted) + Digest.Of(e.Margin);

    /// <summary>A checkpoint that gets its name after this row is committed.</summary>
    public void Checkpoint(string stage, long step, int part, string file, long bytes, string sha256) =>
        checkpoints.Add(RunId, stage, step, part, file, bytes, sha256);

    public void Event(string key, string stage, long? step, string value) =>
        events.Add(RunId, (long)Stopwatch.GetElapsedTime(started).TotalNanoseconds, key, stage, step, value);

    /// <summary>The number that the next commit gives its part.</summary>
    public int NextPart() => Store.LastPart() + 1;

    /// <summary>Writes what has been collected; returns the part's number.</summary>
    public int Commit()
    {
        BeforeCommit();
        return Store.Commit([steps, digests, evals, predictions, events, telemetry, operations, checkpoints], Metadata);
    }

    internal static uint Bits(float x) => BitConverter.SingleToUInt32Bits(x);

    internal static uint? Bits(float? x) => x is { } v ? Bits(v) : null;
}
