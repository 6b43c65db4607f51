using System.Globalization;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>Where a stage stands: step is the next step to run; part is the last committed part of the result tables.</summary>
public sealed record CheckpointPlace(string Path, string Stage, long Step, int Part);

/// <summary>
/// The checkpoints of a run: the newest two of the running stage, those at the ends of every so many epochs, and the last one of every finished stage. A damaged one is
/// named and skipped. There is no "best": nothing is selected by the test images.
/// </summary>
public sealed class CheckpointStore(string folder, string mathHash, string protocol)
{
    private static readonly string[] StageOrder = ["pretrain", "linprobe", "finetune", "scratch"];

    public string Folder { get; } = System.IO.Path.Combine(folder, "checkpoints");

    public string PathOf(string stage, long step) => System.IO.Path.Combine(Folder, FormattableString.Invariant($"{stage}-{step:d8}.safetensors"));

    /// <param name="keepSteps">Checkpoints at multiples of this many steps are never deleted; 0 for none.</param>
    public void Save(Trainer trainer, long step, int part, long keepSteps = 0)
    {
        string path = PathOf(trainer.Stage, step);
        try
        {
            Directory.CreateDirectory(Folder);
            var metadata = new Dictionary<string, string>
            {
                ["lut.stage"] = trainer.Stage,
                ["lut.step"] = step.ToString(CultureInfo.InvariantCulture),
                ["lut.part"] = part.ToString(CultureInfo.InvariantCulture),
                ["lut.math_hash"] = mathHash,
                ["lut.protocol"] = protocol,
            };
            if (trainer.Optimizer is { } adam) (metadata["lut.beta1_power"], metadata["lut.beta2_power"]) = (CheckpointFile.Bits(adam.Beta1Power), CheckpointFile.Bits(adam.Beta2Power));
            using var file = WholeFile.Begin(path);
            string sha256 = CheckpointFile.Write(file.Stream, trainer.States, metadata);
            WholeFile.WriteText(path + ".sha256", $"{sha256}  {System.IO.Path.GetFileName(path)}\n");
            file.Keep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(Exit.Store, 1, $"cannot write the checkpoint of step {step}", path, e.Message, "free some space or choose another --output; earlier checkpoints and results are intact, resume with --resume");
        }
        foreach (string old in Files(trainer.Stage).Where(f => StepOf(f) < step).SkipLast(1).Where(f => keepSteps == 0 || StepOf(f) % keepSteps != 0)) Delete(old);
    }

    /// <summary>The furthest checkpoint that is whole and belongs to this protocol; damaged ones are reported and skipped.</summary>
    public CheckpointPlace? Newest(Action<string> warn)
    {
        if (!Directory.Exists(Folder)) return null;
        var files = Directory.GetFiles(Folder, "*.safetensors").OrderByDescending(f => Array.IndexOf(StageOrder, StageOf(f))).ThenByDescending(StepOf);
        foreach (string f in files)
            try
            {
                using var file = CheckpointFile.Open(f);
                var meta = file.Metadata;
                if (meta.GetValueOrDefault("lut.math_hash") != mathHash)
                    throw new LutError(Exit.Inconclusive, 1, "the checkpoint belongs to another protocol or seed", f, $"its math_hash is {meta.GetValueOrDefault("lut.math_hash")}, this run's is {mathHash}", "resume with the protocol, seed and --set options of the interrupted run");
                return new CheckpointPlace(f, meta["lut.stage"], long.Parse(meta["lut.step"], CultureInfo.InvariantCulture), int.Parse(meta["lut.part"], CultureInfo.InvariantCulture));
            }
            catch (CheckpointException e)
            {
                warn($"skipping a damaged checkpoint: {e.Message}");
            }
        return null;
    }

    public static void Load(string path, Trainer trainer)
    {
        using var file = CheckpointFile.Open(path);
        file.Load(trainer.States);
        var meta = file.Metadata;
        if (trainer.Optimizer is { } adam) (adam.Beta1Power, adam.Beta2Power) = (CheckpointFile.FromBits(meta["lut.beta1_power"]), CheckpointFile.FromBits(meta["lut.beta2_power"]));
    }

    /// <summary>The steps of a stage that have a checkpoint.</summary>
    public IEnumerable<long> StepsOf(string stage) => Directory.Exists(Folder) ? Files(stage).Select(StepOf) : [];

    public static int Order(string stage) => Array.IndexOf(StageOrder, stage);

    private IEnumerable<string> Files(string stage) => Directory.GetFiles(Folder, stage + "-*.safetensors").OrderBy(StepOf);

    private static string StageOf(string path) => System.IO.Path.GetFileName(path).Split('-')[0];

    private static long StepOf(string path) =>
        long.TryParse(System.IO.Path.GetFileNameWithoutExtension(path).Split('-')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out long s) ? s : -1;

    private static void Delete(string path)
    {
        File.Delete(path);
        File.Delete(path + ".sha256");
    }
}
