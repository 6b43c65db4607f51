using System.Diagnostics;
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
    private readonly Table<StepRow> steps = new();
    private readonly Table<DigestRow> digests = new();
    private readonly Table<EvalRow> evals = new();
    private readonly Table<PredictionRow> predictions = new();
    private readonly Table<EventRow> events = new();
    private readonly Table<TelemetryRow> telemetry = new();
    private readonly Table<OperationRow> operations = new();
    private readonly Table<CheckpointRow> checkpoints = new();
    private readonly RunId id = new(runId);
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
        steps.Add(
            new StepRow
            {
                RunId = id,
                Stage = t.Stage,
                Step = s,
                Epoch = (int)(s / t.StepsPerEpoch),
                ImagesSeen = (s + 1) * t.Batch,
                Lr = r.Lr,
                LrBits = Bits64.Of(r.Lr),
                Loss = r.Loss,
                LossBits = Bits32.Of(r.Loss),
                LossRecon = r.Recon,
                LossReconBits = Bits32.Of(r.Recon),
                LossContext = r.Context,
                LossContextBits = Bits32.Of(r.Context),
                GradNorm = r.GradNorm,
                GradNormBits = Bits32.Of(r.GradNorm),
                BatchIdsDigest = Stored(r.BatchIds),
                StateDigest = state is null ? null : Stored(Digest.Combine(state.Select(d => (d.Tensor, d.Value)))),
                StepNs = ns,
                DataNs = r.DataNs,
                ViewsDigest = Stored(r.Views),
                MaskDigest = Stored(r.Masks),
            }
        );
        for (int i = 0; i < (state?.Count ?? 0); i++)
            digests.Add(
                new DigestRow
                {
                    RunId = id,
                    Stage = t.Stage,
                    Step = s,
                    Ordinal = i,
                    Tensor = state![i].Tensor,
                    Shape = string.Join("x", state[i].Shape),
                    Digest = Stored(state[i].Value),
                }
            );
        if (StepsThisProcess == 1 || Stopwatch.GetElapsedTime(sampled) >= TelemetryEvery)
            Sample();
    }

    public void Operation(string stage, long step, Operation o) => operations.Add(RowOf(id, stage, step, o));

    public static OperationRow RowOf(RunId run, string stage, long step, Operation o) =>
        new()
        {
            RunId = run,
            Stage = stage,
            Step = step,
            Ordinal = o.Ordinal,
            Phase = o.Op.Phase,
            Op = o.Op.ToString(),
            Tensor = o.Tensor,
            Output = o.Output,
            Shape = FormattableString.Invariant($"{o.Rows}x{o.Cols}"),
            Digest = Stored(o.Digest),
            Nan = o.Nan,
            Inf = o.Inf,
            Zero = o.Zero,
            Subnormal = o.Subnormal,
        };

    /// <summary>The machine's state, and the GPU's where there is one.</summary>
    private void Sample()
    {
        sampled = Stopwatch.GetTimestamp();
        var gpu = Gpu?.Read();
        telemetry.Add(
            new TelemetryRow
            {
                RunId = id,
                DeviceIndex = 0,
                TNs = SinceStart(),
                Load1 = MachineState.Load1(),
                RssBytes = Environment.WorkingSet,
                ClockMhz = gpu?.SmClockMhz ?? (Gpu is null ? MachineState.ClockMhz() : null),
                PowerW = gpu?.PowerWatts,
                EnergyJ = Gpu is null ? MachineState.EnergyJoules() : gpu?.EnergyJoules,
                TempC = gpu?.TemperatureC ?? (Gpu is null ? MachineState.Temperature() : null),
                Slowdown = gpu?.Slowdown is { } why ? string.Join(",", why) : null,
            }
        );
    }

    public void Eval(EvalResult e, long ns)
    {
        var top1 = new EvalRow
        {
            RunId = id,
            Metric = e.Metric,
            Split = "test",
            Correct = e.Correct,
            N = e.Labels.Length,
            Value = e.Accuracy,
            PredictionsDigest = Stored(DigestOf(e)),
            WallNs = ns,
        };
        evals.Add(top1);
        if (e.Ranks is { } ranks)
        {
            long five = e.Top5!.Value;
            evals.Add(
                top1 with
                {
                    Metric = e.Metric.Replace("_top1", "_top5", StringComparison.Ordinal),
                    Correct = five,
                    N = ranks.Length,
                    Value = 100.0 * five / ranks.Length,
                    PredictionsDigest = Stored(Digest.Of(ranks)),
                }
            );
        }
        for (int i = 0; i < e.Predicted.Length; i++)
            predictions.Add(
                new PredictionRow
                {
                    RunId = id,
                    Metric = e.Metric,
                    SampleIndex = i,
                    Label = e.Labels[i],
                    Top1 = e.Predicted[i],
                    Margin = e.Margin[i],
                    MarginBits = Bits32.Of(e.Margin[i]),
                }
            );
    }

    /// <summary>Of what was predicted, and by how much.</summary>
    internal static Digest DigestOf(EvalResult e) => Digest.Of(e.Predicted) + Digest.Of(e.Margin);

    /// <summary>A checkpoint that gets its name after this row is committed.</summary>
    public void Checkpoint(string stage, long step, int part, string file, long bytes, string sha256) =>
        checkpoints.Add(
            new CheckpointRow
            {
                RunId = id,
                Stage = stage,
                Step = step,
                Part = part,
                File = file,
                Bytes = bytes,
                Sha256 = sha256,
            }
        );

    public void Event(string key, string stage, long? step, string value) =>
        events.Add(
            new EventRow
            {
                RunId = id,
                TNs = SinceStart(),
                Key = key,
                Stage = stage,
                Step = step,
                Value = value,
            }
        );

    /// <summary>The number that the next commit gives its part.</summary>
    public int NextPart() => Store.LastPart() + 1;

    /// <summary>Writes what has been collected; returns the part's number.</summary>
    public int Commit()
    {
        BeforeCommit();
        return Store.Commit([steps, digests, evals, predictions, events, telemetry, operations, checkpoints], Metadata);
    }

    /// <summary>ns.</summary>
    private long SinceStart() => (long)Stopwatch.GetElapsedTime(started).TotalNanoseconds;

    internal static DigestBytes Stored(Digest digest) => new(digest.ToBytes());

    internal static DigestBytes? Stored(Digest? digest) => digest is { } d ? Stored(d) : null;
}
