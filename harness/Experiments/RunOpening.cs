using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>Takes a folder for a run and records how it began.</summary>
internal static class RunOpening
{
    /// <exception cref="Errors.LutError">The folder is not this run's, or cannot be gone on with.</exception>
    internal static RunContext Open(
        RunRequest request,
        RunPreparation prepared,
        Progress progress,
        CancellationToken stop
    )
    {
        string newRun = Guid.CreateVersion7().ToString();
        string path =
            request.ResumeFolder
            ?? Path.Combine(
                request.Output,
                FormattableString.Invariant($"{request.Protocol.Name}_s{request.Protocol.Spec.Seed}_{newRun[^8..]}")
            );
        var state = RunFolder.Open(path, prepared.Identity, request.Catalog.Trained, Progress.Warn);
        if (state is FolderState.Refused refused)
            throw refused.Reason;
        var going = state as FolderState.ResumeAt;
        var folder = going?.Folder ?? ((FolderState.New)state).Folder;
        try
        {
            Interruption.CheckpointsAre(folder.Checkpoints.Folder);
            string runId = going?.RunId ?? newRun;
            var recorder = new Recorder(folder.Store, runId, prepared.Identity.Metadata(runId))
            {
                Gpu = prepared.Nvml,
                BeforeCommit = folder.Check,
            };
            Begin(recorder, request, prepared, going?.Place);
            return new RunContext
            {
                Protocol = request.Protocol,
                Exec = request.Exec,
                Drill = request.Drill,
                Device = request.Device,
                Pool = prepared.Pool,
                HostDevice = prepared.HostDevice,
                HostPool = prepared.HostPool,
                TrainViews = prepared.Train,
                TestViews = prepared.Test,
                TrunkOrNone = prepared.Trunk,
                Folder = folder,
                Place = going?.Place,
                Resumes = (going?.Resumes ?? 0) + (request.ResumeFolder is null ? 0 : 1),
                Recorder = recorder,
                Progress = progress,
                Measured = Measured(folder.Store),
                Watch = ReferenceWatch.Of(prepared.Identity, recorder, Progress.Warn),
                FailFast = request.FailFast,
                Stop = stop,
            };
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private static void Begin(Recorder recorder, RunRequest request, RunPreparation prepared, CheckpointPlace? place)
    {
        recorder.Event(
            request.ResumeFolder is null ? "run_start" : "resume",
            place?.Stage ?? "",
            place?.Step,
            request.Protocol.Name
        );
        if (prepared.Identity.WeightsSha256 is { } weights)
            recorder.Event(RunIdentity.WeightsEvent, "", null, $"{weights} {WeightsHash.NameOf(request.Checkpoint!)}");
        foreach (string note in prepared.WeightNotes)
            recorder.Event("weights", "", null, note);
        if (prepared.SelfChecked is { } passed)
            recorder.Event("self_check", StageId.Pretrain.Name, null, passed);
    }

    private static HashSet<string> Measured(RunStore store) => [.. store.Read(Schema.Evals).Rows.Select(e => e.Metric)];
}
