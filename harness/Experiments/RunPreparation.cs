using System.Diagnostics;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Images;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>
/// Everything that can be refused before a run has a folder: data, devices, the self-check, weights from outside.
/// </summary>
internal sealed class RunPreparation : IDisposable
{
    private RunPreparation(
        ImageSource trainSet,
        ImageSource testSet,
        Views train,
        Views test,
        Device hostDevice,
        Pool pool,
        Pool hostPool
    )
    {
        TrainSet = trainSet;
        TestSet = testSet;
        Train = train;
        Test = test;
        HostDevice = hostDevice;
        Pool = pool;
        HostPool = hostPool;
    }

    /// <summary>When this process began to prepare.</summary>
    internal DateTime StartedUtc { get; private init; }

    internal long Started { get; private init; }
    internal ImageSource TrainSet { get; }
    internal ImageSource TestSet { get; }
    internal Views Train { get; }
    internal Views Test { get; }

    /// <summary>
    /// Neighbours and linear probes are small beside training: where the device is not the host's, the CPU computes
    /// them, with the same bits.
    /// </summary>
    internal Device HostDevice { get; }

    internal Pool Pool { get; }
    internal Pool HostPool { get; }
    internal Nvml? Nvml { get; private set; }

    /// <summary>The network that is pre-trained, or was; null where no stage needs it.</summary>
    internal PretrainTrainer? Trunk { get; private set; }

    /// <summary>What the self-check compared; null when it was not asked for.</summary>
    internal string? SelfChecked { get; private set; }

    /// <summary>What a user should know of weights from outside.</summary>
    internal IReadOnlyList<string> WeightNotes { get; private set; } = [];

    internal RunIdentity Identity { get; private set; } = null!;

    internal static RunPreparation Of(RunRequest request, Progress progress)
    {
        var (startedUtc, started) = (DateTime.UtcNow, Stopwatch.GetTimestamp());
        var p = request.Protocol.Spec;
        var device = request.Device;
        // said under -q too: reading every image once takes long
        var (trainSet, testSet) = DataSets.Load(p.Data, request.DataFolder, Console.Error.WriteLine, request.Index);
        var pool = device.NewPool(request.Exec.Threads);
        var host = device.OnHost ? device : Cpu.Best();
        var hostPool = device.OnHost ? pool : new Pool(request.Exec.Threads);
        var made = new RunPreparation(
            trainSet,
            testSet,
            new Views(p, trainSet),
            new Views(p, testSet),
            host,
            pool,
            hostPool
        )
        {
            StartedUtc = startedUtc,
            Started = started,
        };
        try
        {
            made.Prepare(request, progress);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Trunk?.Dispose();
        Nvml?.Dispose();
        if (HostPool != Pool)
            HostPool.Dispose();
        Pool.Dispose();
    }

    private void Prepare(RunRequest request, Progress progress)
    {
        var p = request.Protocol.Spec;
        Nvml = request.Device is CudaDevice cuda ? Nvml.Open(cuda.Context, out _) : null;
        // the check's own networks are gone before the run's are made
        if (request.SelfCheck)
            progress.Say(SelfChecked = SelfCheck.Run(p, Train, request.Device, request.Exec, request.Drill));
        if (request.Catalog.Of(request.Stages).Any(s => s.Input != StageInput.Images))
            Trunk = new PretrainTrainer(p, Train, request.Device, Pool, request.Exec);
        string? weights = null;
        if (request.Checkpoint is { } path)
        {
            var loaded = OuterWeights.Load(path, request.Which, Trunk!.Student, OuterWeights.UseOf(request.Planned, p));
            foreach (string note in loaded.Notes)
                progress.Say(note);
            WeightNotes = loaded.Notes;
            Trunk.BeginFromStudent();
            weights = WeightsHash.Of(Trunk.Student, encoderOnly: !request.Stages.Contains(StageId.Pretrain));
        }
        Identity = new RunIdentity(request.Protocol, RunIdentity.HashOf(TrainSet, TestSet), weights);
    }
}
