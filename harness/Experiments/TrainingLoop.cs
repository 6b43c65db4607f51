using System.Diagnostics;
using System.Globalization;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Diagnosis;
using LutNative.Model.Threads;

namespace LutNative.Harness.Experiments;

/// <summary>Runs a stage's steps: record, digest, checkpoint, stop cleanly when asked.</summary>
public sealed class TrainingLoop(
    Recorder recorder,
    CheckpointStore checkpoints,
    Pool pool,
    ExecOptions exec,
    Progress progress,
    CancellationToken stop
)
{
    public DrillOptions Drill { get; init; } = DrillOptions.None;

    /// <summary>null where there is no reference to compare with.</summary>
    public ReferenceWatch? Watch { get; init; }

    /// <summary>Stop with a checkpoint at the first difference from the reference.</summary>
    public bool FailFast { get; init; }

    /// <exception cref="InterruptedException">It was asked to stop, and a checkpoint was written.</exception>
    /// <exception cref="UnfitMachineException">A thread computed wrongly: nothing of that step is recorded.</exception>
    public void Run(Trainer t, long from)
    {
        long saved = Stopwatch.GetTimestamp();
        var lastSave = TimeSpan.Zero;
        var epoch = new EpochSum(recorder, t);
        using var steps = Interruption.InSteps(); // a signal waits for the end of a step
        progress.Begin(t.Stage, from, t.Steps, t.Batch);
        for (long s = from; s < t.Steps; s++)
        {
            var report = Step(t, s);
            progress.Step(s + 1, report);
            epoch.Add(s, report);
            bool wrong = FailFast && Watch?.Difference is not null;
            bool asked = wrong || stop.IsCancellationRequested || IsStopDrilled();
            bool end = s + 1 == t.Steps;
            bool due = Stopwatch.GetElapsedTime(saved) >= exec.CheckpointEvery.After(lastSave);
            if (!end && !asked && !due && !IsKept(t, s))
                continue;
            long saving = Stopwatch.GetTimestamp();
            recorder.Event("checkpoint", t.Stage, s + 1, "");
            checkpoints.Save(t, s + 1, recorder, KeptEvery(t));
            saved = Stopwatch.GetTimestamp();
            lastSave = Stopwatch.GetElapsedTime(saving, saved);
            if (wrong)
                throw Watch!.Stop(recorder.Store.Folder);
            if (asked && (!end || stop.IsCancellationRequested))
                throw new InterruptedException(
                    $"stopped after step {s + 1} of {t.Steps} of {t.Stage}; a checkpoint was written; go on "
                        + "with --resume auto"
                );
        }
        progress.End();
    }

    /// <summary>One step, recorded and held against the reference.</summary>
    private StepReport Step(Trainer t, long s)
    {
        long before = Stopwatch.GetTimestamp();
        StepReport report;
        List<TensorDigest>? digests;
        long ns;
        try
        {
            report = Drilled(t, s);
            ns = (long)Stopwatch.GetElapsedTime(before).TotalNanoseconds;
            digests = t.Digested(s) ? t.Digests(pool) : null;
        }
        catch (UnfitMachineException e)
        {
            // nothing of this step is recorded: rule 14
            throw new UnfitMachineException(
                e.Message,
                FormattableString.Invariant($"step {s} of {t.Stage}, {e.Where}")
            );
        }
        recorder.Step(t, s, report, digests, ns);
        if (digests is not null)
            Watch?.Step(t.Stage, s, report.Loss, digests);
        return report;
    }

    /// <summary>The step itself, with the fault that is planted in it and the record of its operations.</summary>
    private StepReport Drilled(Trainer t, long s)
    {
        var fault = Drill.Inject is { } planned && planned.Stage == t.Stage && planned.Step == s ? planned : null;
        if (fault is not null)
            recorder.Event("inject", t.Stage, s, fault.ToString());
        // made for the whole run where a drill looks at operations (DrillOptions.WatchesOperations)
        var instrument = t.Device as InstrumentedDevice;
        if (instrument is not null)
            instrument.Fault = fault is WrongOperation w ? (w.Op, w.How) : null;
        var report =
            Drill.TraceStep == s && instrument is not null
                ? StepTrace.Record(t, instrument, s, o => recorder.Operation(t.Stage, s, o))
                : t.Step(s);
        if (fault is BitFlip flip)
            t.Plant(flip);
        return report;
    }

    private bool IsStopDrilled() => Drill.StopAfter > 0 && recorder.StepsThisProcess >= Drill.StopAfter;

    private bool IsKept(Trainer t, long s) => exec.KeepEpochs > 0 && (s + 1) % KeptEvery(t) == 0;

    /// <summary>Steps between checkpoints that stay for good; 0 for none.</summary>
    private long KeptEvery(Trainer t) => (long)t.StepsPerEpoch * exec.KeepEpochs;

    /// <summary>Sums up an epoch's steps for its event; the first one of a resumed run has only what is left of it.</summary>
    private sealed class EpochSum(Recorder recorder, Trainer t)
    {
        private long began = Stopwatch.GetTimestamp();
        private long steps;
        private double loss;

        internal void Add(long s, StepReport report)
        {
            loss += report.Loss;
            steps++;
            if ((s + 1) % t.StepsPerEpoch != 0)
                return;
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            recorder.Event(
                "epoch",
                t.Stage,
                s + 1,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"epoch {s / t.StepsPerEpoch} loss_mean {loss / steps:g9} over {steps} steps, lr "
                        + $"{report.Lr:g9}, {steps * t.Batch / seconds:f1} images/s"
                )
            );
            began = Stopwatch.GetTimestamp();
            steps = 0;
            loss = 0;
        }
    }
}
