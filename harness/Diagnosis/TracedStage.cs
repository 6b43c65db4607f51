using LutNative.Harness.Errors;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Diagnosis;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// A stage of two runs, made again on this machine: its trainer stands where the two were last seen equal.
/// </summary>
internal sealed class TracedStage : IDisposable
{
    private readonly PretrainTrainer? trunk;

    private TracedStage(InstrumentedDevice device, Pool pool, PretrainTrainer? trunk, Trainer trainer)
    {
        Device = device;
        Pool = pool;
        this.trunk = trunk;
        Trainer = trainer;
    }

    internal InstrumentedDevice Device { get; }

    /// <summary>Of one thread: the order of operations is then the same everywhere.</summary>
    internal Pool Pool { get; }

    internal Trainer Trainer { get; }

    /// <summary>The next step of the trainer: 0, or a shared checkpoint's.</summary>
    internal long From { get; private set; }

    /// <summary>The seed, or the checkpoint's file.</summary>
    internal string Source { get; private set; } = "the seed";

    /// <param name="shared">The last step whose state both runs recorded, and found equal, and 1.</param>
    /// <exception cref="LutError">
    /// The stage's beginning is not in the runs (exit 6), or it is one that cannot be traced (exit 2).
    /// </exception>
    internal static TracedStage Open(
        string name,
        (RunStore A, RunStore B) runs,
        long shared,
        Device on,
        string? dataFolder,
        Action<string> say,
        OuterWeightsFile? weights
    )
    {
        var protocol = ProtocolReader.Load(Path.Combine(runs.A.Folder, "config.resolved.toml"), []).Spec;
        RequireContract(runs.A, protocol);
        var device = new InstrumentedDevice(on);
        var (train, _) = DataSets.Load(protocol.Data, dataFolder, say);
        var views = new Views(protocol, train);
        var exec = new ExecOptions(1, 0, 0, TimeSpan.MaxValue);
        var stage = Traceable(name);
        var pool = new Pool(1);
        PretrainTrainer? trunk = null;
        Trainer? trainer = null;
        try
        {
            if (stage.Input == StageInput.Trunk && stage.Id != StageId.Pretrain)
            {
                trunk = new PretrainTrainer(protocol, views, device, pool, exec);
                Begin(trunk, runs.A, runs.B, protocol, weights);
            }
            trainer = stage.NewTrainer(protocol, views, device, pool, exec, trunk?.Student);
            var made = new TracedStage(device, pool, trunk, trainer);
            made.LoadShared(runs, shared);
            return made;
        }
        catch
        {
            trainer?.Dispose();
            trunk?.Dispose();
            pool.Dispose();
            throw;
        }
    }

    internal (StepReport Report, List<TensorDigest> State) Step(long s) => (Trainer.Step(s), Trainer.Digests(Pool));

    public void Dispose()
    {
        Trainer.Dispose();
        trunk?.Dispose();
        Pool.Dispose();
    }

    private void LoadShared((RunStore A, RunStore B) runs, long shared)
    {
        RunStore? source = null;
        foreach (var run in new[] { runs.A, runs.B })
        {
            var store = CheckpointStore.Of(run);
            long best = store.StepsOf(Trainer.Stage).Where(s => s <= shared).DefaultIfEmpty(0).Max();
            if (best <= From)
                continue;
            From = best;
            Source = store.PathOf(Trainer.Stage, best);
            source = run;
        }
        if (source is not null)
            CheckpointStore.Of(source).Load(Source, Trainer);
    }

    private static void RequireContract(RunStore run, ProtocolSpec protocol)
    {
        if (run.Read(Schema.Run).First?.Contract is { } contract && contract != protocol.Contract)
            throw InconclusiveErrors.NoContract(contract);
    }

    private static ITrainedStage Traceable(string name) =>
        StageCatalog.Default.Find(name) as ITrainedStage ?? throw UsageErrors.NoTraceOfStage(name);

    /// <summary>
    /// The weights that fine-tuning began with: a file from outside, or what pre-training ended with in one of the two
    /// runs.
    /// </summary>
    private static void Begin(
        PretrainTrainer pretrained,
        RunStore a,
        RunStore b,
        ProtocolSpec protocol,
        OuterWeightsFile? weights
    )
    {
        if (weights is { } outer)
        {
            OuterWeights.Load(
                outer.Path,
                outer.Which,
                pretrained.Student,
                OuterWeights.UseOf([StageId.Finetune], protocol)
            );
            string loaded = WeightsHash.Of(pretrained.Student, encoderOnly: true);
            if (RunFacts.Of(a)[RunFacts.Weights] is { } recorded && recorded != loaded)
                throw InconclusiveErrors.OtherWeights(outer.Path, recorded, loaded);
            return;
        }
        var store = new[] { a, b }
            .Select(CheckpointStore.Of)
            .FirstOrDefault(s => File.Exists(s.PathOf(pretrained.Stage, pretrained.Steps)));
        if (store is not null)
            store.Load(store.PathOf(pretrained.Stage, pretrained.Steps), pretrained);
        else if (OuterWeightsFile.Of(a) is { } used)
            throw RunUsageErrors.WeightsFromOutside(a.Folder, used.Path, used.Options);
        else
            throw DataErrors.PretrainedWeightsGone(Path.Combine(a.Folder, "checkpoints"));
    }
}
