using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>
/// Where a stage stands: step is the next step to run; part is the last committed part of the result tables.
/// </summary>
public sealed record CheckpointPlace(string Path, string Stage, long Step, int Part);

/// <summary>
/// The checkpoints of a run: the newest two of the running stage, those at the ends of every so many epochs, and the
/// last one of every finished stage. There is no "best": nothing is selected by the test images.
/// </summary>
/// <param name="stages">Whose checkpoints these are, in the order of a run.</param>
public sealed class CheckpointStore(RunStore run, CheckpointLedger ledger, IReadOnlyList<StageId> stages)
{
    private readonly HashSet<string> damaged = new(StringComparer.Ordinal);

    public string Folder { get; } = System.IO.Path.Combine(run.Folder, "checkpoints");

    public static CheckpointStore Of(RunStore run) => Of(run, StageId.Trained);

    public static CheckpointStore Of(RunStore run, IReadOnlyList<StageId> stages) =>
        new(run, CheckpointLedger.Of(run), stages);

    public string PathOf(string stage, long step) =>
        System.IO.Path.Combine(Folder, new CheckpointName(stage, step).ToString());

    /// <summary>
    /// Commits what was recorded, with a row that names the checkpoint and its SHA-256, and then gives the checkpoint
    /// its name: one that exists has its row. A crash between the two leaves a part that the next resume drops.
    /// </summary>
    /// <param name="keepSteps">Checkpoints at multiples of this many steps are never deleted; 0 for none.</param>
    public void Save(Trainer trainer, long step, Recorder recorder, long keepSteps = 0)
    {
        string path = PathOf(trainer.Stage, step);
        string name = System.IO.Path.GetFileName(path);
        try
        {
            Directory.CreateDirectory(Folder);
            int part = recorder.NextPart();
            using var file = WholeFile.Begin(path);
            string sha256 = CheckpointFile.Write(file.Stream, trainer.States, Metadata(trainer, step, part, recorder));
            file.Store();
            recorder.Checkpoint(trainer.Stage, step, part, name, file.Stream.Length, sha256);
            recorder.Commit();
            WholeFile.WriteText(path + ".sha256", $"{sha256}  {name}\n");
            file.Keep();
            damaged.Remove(path);
            foreach (string old in Superseded(trainer.Stage, step, keepSteps).ToList())
                Delete(old);
        }
        catch (Exception e) when (Errors.Files.Failed(e))
        {
            throw RunStoreErrors.CannotWriteCheckpoint(step, path, e.Message);
        }
    }

    /// <summary>
    /// Reads a checkpoint and proves it whole, of the stage and step in its name, and what the run's tables say.
    /// </summary>
    /// <exception cref="CheckpointException">It is damaged; <see cref="UnreadableCheckpointException"/> when the system
    /// could not read it.</exception>
    public (CheckpointPlace Place, IReadOnlyDictionary<string, string> Metadata) Examine(string path)
    {
        using var file = CheckpointFile.Open(path);
        return (Prove(path, file), file.Metadata);
    }

    public void Load(string path, Trainer trainer)
    {
        using var file = CheckpointFile.Open(path);
        Prove(path, file);
        file.Load(trainer.States);
        var meta = file.Metadata;
        if (trainer.Optimizer is { } adam)
            (adam.Beta1Power, adam.Beta2Power) = (
                CheckpointFile.FromBits(meta["lut.beta1_power"]),
                CheckpointFile.FromBits(meta["lut.beta2_power"])
            );
    }

    /// <summary>It is damaged, so that it counts for nothing when old ones are removed.</summary>
    public void Distrust(string path) => damaged.Add(path);

    /// <summary>The place of a stage with checkpoints in a run.</summary>
    public int OrderOf(string stage) => stages.TakeWhile(s => s.Name != stage).Count();

    /// <summary>The steps of a stage that have a checkpoint.</summary>
    public IEnumerable<long> StepsOf(string stage) =>
        Files().Where(f => f.Name.Stage == stage).Select(f => f.Name.Step);

    /// <summary>All checkpoints by exact name, the furthest first.</summary>
    public IEnumerable<(string Path, CheckpointName Name)> Files()
    {
        if (!Directory.Exists(Folder))
            return [];
        return Directory
            .GetFileSystemEntries(Folder)
            .Select(f => (Path: f, Name: CheckpointName.Parse(f, stages)!))
            .Where(f => f.Name is not null)
            .OrderByDescending(f => OrderOf(f.Name.Stage))
            .ThenByDescending(f => f.Name.Step);
    }

    private static Dictionary<string, string> Metadata(Trainer trainer, long step, int part, Recorder recorder)
    {
        var metadata = new Dictionary<string, string>
        {
            ["lut.stage"] = trainer.Stage,
            ["lut.step"] = step.ToString(CultureInfo.InvariantCulture),
            ["lut.part"] = part.ToString(CultureInfo.InvariantCulture),
        };
        foreach (
            string key in new[]
            {
                RunIdentity.RunIdKey,
                RunIdentity.MathKey,
                RunIdentity.ProtocolKey,
                RunIdentity.WeightsKey,
            }
        )
            if (recorder.Metadata.TryGetValue(key, out string? value))
                metadata[key] = value;
        if (trainer.Optimizer is { } adam)
            (metadata["lut.beta1_power"], metadata["lut.beta2_power"]) = (
                CheckpointFile.Bits(adam.Beta1Power),
                CheckpointFile.Bits(adam.Beta2Power)
            );
        return metadata;
    }

    private CheckpointPlace Prove(string path, CheckpointFile file)
    {
        var meta = file.Metadata;
        if (
            CheckpointName.Parse(path, stages) is not { } name
            || meta.GetValueOrDefault("lut.stage") != name.Stage
            || Number(meta, "lut.step") != name.Step
        )
            throw new CheckpointException(
                $"{path} is not the checkpoint that its name says: "
                    + $"it is of stage {meta.GetValueOrDefault("lut.stage")}, step {meta.GetValueOrDefault("lut.step")}"
            );
        if (Number(meta, "lut.part") is not (>= 0 and <= int.MaxValue and var part))
            throw new CheckpointException($"{path} does not say which part of the tables it belongs to");
        if (ledger.Contradiction(path, file.Sha256, (int)part) is { } why)
            throw new CheckpointException($"{path} is not what the run wrote: {why}");
        return new CheckpointPlace(path, name.Stage, name.Step, (int)part);
    }

    private static long? Number(IReadOnlyDictionary<string, string> meta, string key) =>
        long.TryParse(meta.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out long n)
            ? n
            : null;

    /// <summary>
    /// Of this stage, older than this step: all but the newest that is whole, those to keep, and links, which are
    /// somebody's.
    /// </summary>
    private IEnumerable<string> Superseded(string stage, long step, long keepSteps)
    {
        var older = Files()
            .Where(f =>
                f.Name.Stage == stage
                && f.Name.Step < step
                && new FileInfo(f.Path).LinkTarget is null
                && File.Exists(f.Path)
            )
            .ToList();
        var whole = older
            .Where(f => !damaged.Contains(f.Path))
            .Skip(1)
            .Where(f => keepSteps == 0 || f.Name.Step % keepSteps != 0);
        return whole.Concat(older.Where(f => damaged.Contains(f.Path))).Select(f => f.Path);
    }

    private static void Delete(string path)
    {
        File.Delete(path);
        File.Delete(path + ".sha256");
    }
}
