using System.Globalization;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>Runs stages in order, each from where the newest checkpoint left it, and closes the run's folder.</summary>
public static class Runner
{
    /// <summary>Returns the finished run's folder.</summary>
    public static RunStore Run(RunRequest request, CancellationToken stop)
    {
        var progress = new Progress(request.Quiet);
        using var prepared = RunPreparation.Of(request, progress);
        using var run = RunOpening.Open(request, prepared, progress, stop);
        Say(run);
        if (request.FailFast && run.Watch is null)
            Progress.Warn(
                "this run has no reference (other values, another seed, other data, or weights from "
                    + "outside): --fail-fast has nothing to compare with"
            );
        run.Heed();
        foreach (IStage stage in request.Catalog.Of(request.Stages).Where(s => s.In(run.Spec) == StagePresence.On))
        {
            if (stage.Metrics.Count > 0 && stage.Metrics.All(run.Measured.Contains))
                continue;
            if (stage.Input != StageInput.Features)
                run.DropFeatures();
            stage.Run(run);
        }
        RunSummary.Close(run, request, prepared);
        return run.Store;
    }

    private static void Say(RunContext run)
    {
        run.Progress.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"lut {LutVersion.Text} {run.Protocol.Name} seed {run.Spec.Seed} contract "
                    + $"{run.Protocol.Level ?? run.Spec.Contract}"
            )
        );
        run.Progress.Say(
            FormattableString.Invariant(
                $"machine {Machine.CpuModel}, {Machine.Isa}, device {run.Device.Name}, {run.Exec.Threads} threads"
            )
        );
        run.Progress.Say($"math_hash {run.Protocol.MathHash}");
        run.Progress.Say($"run {run.Store.Folder}");
        if (run.Place is { } place)
            run.Progress.Say(FormattableString.Invariant($"resuming from {place.Stage} step {place.Step}"));
    }
}
