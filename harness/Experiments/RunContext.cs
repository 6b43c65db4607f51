using System.Diagnostics;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>All that a stage needs: made when the run's folder is open, given to one stage after another.</summary>
public sealed record RunContext : IDisposable
{
    public required ResolvedProtocol Protocol { get; init; }
    public required ExecOptions Exec { get; init; }
    public required DrillOptions Drill { get; init; }
    public required Device Device { get; init; }
    public required Pool Pool { get; init; }

    /// <summary>For what is small beside training, and for matrices in host memory (<see cref="RunPreparation"/>).</summary>
    public required Device HostDevice { get; init; }

    public required Pool HostPool { get; init; }

    /// <summary>The training images as a network sees them.</summary>
    public required Views TrainViews { get; init; }

    public required Views TestViews { get; init; }

    /// <summary>The open folder of the run: its tables and its checkpoints.</summary>
    public required RunFolder Folder { get; init; }

    /// <summary>Where an interrupted run goes on; null for one that begins.</summary>
    public required CheckpointPlace? Place { get; init; }

    /// <summary>How often the run was resumed.</summary>
    public required int Resumes { get; init; }

    public required Recorder Recorder { get; init; }
    public required Progress Progress { get; init; }

    /// <summary>What an earlier process of this run has measured, by name.</summary>
    public required IReadOnlySet<string> Measured { get; init; }

    /// <summary>null where there is no reference to compare with.</summary>
    public required ReferenceWatch? Watch { get; init; }

    /// <summary>Stop at the first difference from the reference.</summary>
    public required bool FailFast { get; init; }

    public required CancellationToken Stop { get; init; }

    /// <summary>null where no stage that was asked for needs it.</summary>
    public required PretrainTrainer? TrunkOrNone { private get; init; }

    private FrozenFeatures Frozen { get; } = new();

    public ProtocolSpec Spec => Protocol.Spec;
    public RunStore Store => Folder.Store;

    /// <summary>The network that is pre-trained, or was, or that came from outside.</summary>
    /// <exception cref="InvalidOperationException">The stage did not say that it needs one.</exception>
    public PretrainTrainer Trunk => TrunkOrNone ?? throw new InvalidOperationException("no stage asked for a trunk");

    /// <summary>Frozen features of the trunk, [N, D] each in host memory; valid until the stage ends.</summary>
    public (Mat Train, Mat Test) Features() => Frozen.Of(this);

    /// <summary>Gives back the memory of the features.</summary>
    public void DropFeatures() => Frozen.Dispose();

    /// <summary>Trains from where the newest checkpoint left the stage.</summary>
    /// <exception cref="InterruptedException">The run was asked to stop.</exception>
    public void Train(Trainer t)
    {
        long from = Resume(t);
        if (from < t.Steps)
            new TrainingLoop(Recorder, Folder.Checkpoints, Pool, Exec, Progress, Stop)
            {
                Drill = Drill,
                Watch = Watch,
                FailFast = FailFast,
            }.Run(t, from);
        Heed();
    }

    /// <summary>Measures what is not known yet, and records it.</summary>
    /// <exception cref="InterruptedException">The run was asked to stop.</exception>
    public void Measure(string metric, Func<EvalResult> run)
    {
        if (Measured.Contains(metric))
            return;
        long before = Stopwatch.GetTimestamp();
        var result = run();
        Watch?.Eval(result);
        Recorder.Eval(result, (long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        Recorder.Event(
            "eval",
            "",
            null,
            FormattableString.Invariant($"{result.Metric} {result.Correct}/{result.Labels.Length}")
        );
        Progress.Say(
            FormattableString.Invariant(
                $"eval={result.Metric} correct={result.Correct}/{result.Labels.Length} percent={result.Accuracy:f2}"
            )
        );
        Recorder.Commit();
        Heed();
        if (Stop.IsCancellationRequested)
            throw new InterruptedException(
                "stopped after an evaluation; the last checkpoint is on disk; go on with --resume auto"
            );
    }

    /// <summary>A run that shall not go on with other bits than its reference ends here.</summary>
    public void Heed()
    {
        if (FailFast && Watch?.Difference is not null)
            throw Watch.Stop(Store.Folder);
    }

    /// <summary>Gives up the folder.</summary>
    public void Dispose()
    {
        Frozen.Dispose();
        Folder.Dispose();
    }

    /// <summary>Loads what the run has of a stage; the next step to run.</summary>
    private long Resume(Trainer t)
    {
        var checkpoints = Folder.Checkpoints;
        if (Place is null || checkpoints.OrderOf(Place.Stage) < checkpoints.OrderOf(t.Stage))
            return 0;
        bool here = Place.Stage == t.Stage;
        checkpoints.Load(here ? Place.Path : checkpoints.PathOf(t.Stage, t.Steps), t);
        return here ? Place.Step : t.Steps;
    }
}
