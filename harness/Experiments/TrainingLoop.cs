using System.Diagnostics;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Diagnosis;
using LutNative.Model.Threads;

namespace LutNative.Harness.Experiments;

/// <summary>The run stopped at a checkpoint because it was asked to; it can be resumed.</summary>
public sealed class InterruptedException(string message) : Exception(message);

/// <summary>Runs a stage's steps: record, digest, checkpoint, stop cleanly when asked.</summary>
public static class TrainingLoop
{
    public static void Run(
        Trainer t,
        long from,
        Recorder recorder,
        CheckpointStore checkpoints,
        Pool pool,
        ExecOptions exec,
        Progress progress,
        ReferenceWatch? watch,
        bool failFast,
        CancellationToken stop
    )
    {
        long last = Stopwatch.GetTimestamp();
        long epochBegan = last;
        long epochSteps = 0;
        double epochLoss = 0;
        var lastSave = TimeSpan.Zero;
        using var steps = Interruption.InSteps(); // a signal waits for the end of a step
        progress.Begin(t.Stage, from, t.Steps, t.Batch);
        for (long s = from; s < t.Steps; s++)
        {
            long before = Stopwatch.GetTimestamp();
            var fault = exec.Inject is { } planned && planned.Stage == t.Stage && planned.Step == s ? planned : null;
            if (fault is not null)
                recorder.Event("inject", t.Stage, s, fault.ToString());
            var instrument = t.Device as InstrumentedDevice;
            if (instrument is not null)
                instrument.Fault = fault is WrongOperation w ? (w.Op, w.How) : null;
            StepReport report;
            List<TensorDigest>? digests;
            long ns;
            try
            {
                report =
                    exec.TraceStep == s && instrument is not null
                        ? StepTrace.Record(t, instrument, s, o => recorder.Operation(t.Stage, s, o))
                        : t.Step(s);
                if (fault is BitFlip flip)
                    t.Plant(flip);
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
                watch?.Step(t.Stage, s, report.Loss, digests);
            progress.Step(s + 1, report);
            epochLoss += report.Loss;
            epochSteps++;
            if ((s + 1) % t.StepsPerEpoch == 0)
            {
                double seconds = Stopwatch.GetElapsedTime(epochBegan).TotalSeconds;
                recorder.Event(
                    "epoch",
                    t.Stage,
                    s + 1,
                    FormattableString.Invariant(
                        $"epoch {s / t.StepsPerEpoch} loss_mean {epochLoss / epochSteps:g9} over {epochSteps} steps, lr {report.Lr:g9}, {epochSteps * t.Batch / seconds:f1} images/s"
                    )
                );
                (epochBegan, epochSteps, epochLoss) = (Stopwatch.GetTimestamp(), 0, 0);
            }
            bool wrong = failFast && watch?.Difference is not null;
            bool end = s + 1 == t.Steps;
            bool asked =
                wrong
                || stop.IsCancellationRequested
                || (exec.StopAfter > 0 && recorder.StepsThisProcess >= exec.StopAfter);
            bool kept = exec.KeepEpochs > 0 && (s + 1) % ((long)t.StepsPerEpoch * exec.KeepEpochs) == 0;
            if (!end && !asked && !kept && Stopwatch.GetElapsedTime(last) < exec.CheckpointEvery.After(lastSave))
                continue;
            long saving = Stopwatch.GetTimestamp();
            recorder.Event("checkpoint", t.Stage, s + 1, "");
            checkpoints.Save(t, s + 1, recorder, (long)t.StepsPerEpoch * exec.KeepEpochs);
            last = Stopwatch.GetTimestamp();
            lastSave = Stopwatch.GetElapsedTime(saving, last);
            if (wrong)
                throw watch!.Stop(recorder.Store.Folder);
            if (asked && (!end || stop.IsCancellationRequested))
                throw new InterruptedException(
                    $"stopped after step {s + 1} of {t.Steps} of {t.Stage}; a checkpoint was written; go on with --resume auto"
                );
        }
        progress.End();
    }
}
