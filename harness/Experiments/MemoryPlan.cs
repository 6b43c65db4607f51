using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>
/// The memory that a run will need at its peak: <see cref="StageMemory"/> counts the tensors of every stage. What the
/// runtime itself takes is an estimate (measured; it matters for small networks only).
/// </summary>
public static class MemoryPlan
{
    /// <summary>
    /// Runtime, machine code and its heap while stepping, and the tables, pictures and Parquet writer of a whole run
    /// besides.
    /// </summary>
    private const long Stepping = 95L << 20;
    private const long Recording = 75L << 20;

    /// <summary>A GPU's copies of index tables and an operation's scratch.</summary>
    private const long Transfers = 8L << 20;

    /// <summary>
    /// Peak bytes of a whole run, in the device's memory: pre-training's values stay, a stage's buffers go before the
    /// next stage's are made.
    /// </summary>
    public static long Run(ProtocolSpec p, Device device, ExecOptions exec, BenchOptions? bench = null)
    {
        var memory = new StageMemory(p, device, exec, bench);
        var moments = StageCatalog
            .Default.All.Where(s => s.In(p) == StagePresence.On)
            .SelectMany(s => s.Moments(memory));
        long runtime = device.OnHost ? Stepping + Recording + Images(p) : Transfers;
        return runtime + memory.Values.On(device) + Most(moments, device);
    }

    /// <summary>
    /// Bytes of the trained values (student, teacher, moments), of a pre-training step's buffers, and of everything in
    /// fine-tuning, in the device's memory.
    /// </summary>
    public static (long Values, long Pretrain, long Finetune) Phases(ProtocolSpec p, Device device, ExecOptions exec)
    {
        var memory = new StageMemory(p, device, exec);
        return (memory.Values.On(device), Most(memory.Pretrain, device), Most(memory.Supervised, device));
    }

    /// <summary>
    /// Bytes of a checkpoint of pre-training and of one of supervised training, and what the disk must hold at the
    /// most: of the running stage two and the one that is being written, those that are kept for good, and the last of
    /// every finished stage.
    /// </summary>
    public static (long Pretrain, long Supervised, long Disk) Checkpoints(ProtocolSpec p, int keepEpochs)
    {
        using var arena = Arena.Counting();
        var net = NetworkFactory.PretrainingOf(p);
        var student = new State(net.Layout, arena);
        long pretrain = CheckpointFile.DataBytes([
            ("student", student),
            ("exp_avg", student),
            ("exp_avg_sq", student),
            .. net.Options.Context ? [("teacher", student)] : Array.Empty<(string, State)>(),
        ]);
        var classifier = new State(NetworkFactory.ClassifierOf(p, training: true).Layout, arena);
        long supervised = CheckpointFile.DataBytes([
            ("student", classifier),
            ("exp_avg", classifier),
            ("exp_avg_sq", classifier),
        ]);
        long Kept(int epochs) => keepEpochs > 0 ? epochs / keepEpochs : 0;
        long after = (1 + Kept(p.Pretrain.Epochs)) * pretrain;
        long trainings = 0;
        if (p.Finetune.Epochs > 0)
            trainings = p.Baselines.Scratch ? 2 : 1;
        long running = trainings * (1 + Kept(p.Finetune.Epochs)) * supervised + (trainings > 0 ? 2 * supervised : 0);
        return (pretrain, supervised, after + Math.Max(2 * pretrain, running));
    }

    /// <summary>Peak bytes of the steps of one stage, as `lut bench` runs it: nothing is evaluated.</summary>
    public static long Stage(ProtocolSpec p, IStage stage, Device device, ExecOptions exec, BenchOptions? bench = null)
    {
        var memory = new StageMemory(p, device, exec, bench);
        long values = stage.Id == StageId.Pretrain ? memory.Values.On(device) : 0;
        return Stepping + Images(p) + values + Most(stage.Moments(memory), device);
    }

    /// <summary>
    /// What to say when a device has too little memory: what was predicted, and the largest setting that should fit.
    /// </summary>
    public static LutError TooLittle(RunRequest request, Exception cause)
    {
        var (p, device, exec) = (request.Protocol.Spec, request.Device, request.Exec);
        string fix = Fitting(p, device, exec) is { } fit
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"--micro-batch {fit.MicroBatch}{(fit.Recompute ? " --memory recompute" : "")} should fit; "
                    + $"the bits are the same"
            )
            : "use a device with more memory, or --device cpu: the bits are the same";
        return UnfitErrors.TooLittleOnDevice(device.Name, device.MemoryBytes, Run(p, device, exec), cause.Message, fix);
    }

    /// <summary>The largest setting that needs less than was asked for and fits a device, or null.</summary>
    internal static ExecOptions? Fitting(ProtocolSpec p, Device device, ExecOptions exec, BenchOptions? bench = null)
    {
        double most = MemorySetting.Usable * (device.MemoryBytes ?? 0);
        int asked = PretrainTrainer.PlanOf(p, device, exec).Samples;
        foreach (bool recompute in new[] { exec.Recompute, true })
            for (int micro = asked / 2; micro >= 1; micro /= 2)
                if (
                    exec with { MicroBatch = micro, Recompute = recompute } is var smaller
                    && Run(p, device, smaller, bench) < most
                )
                    return smaller;
        return null;
    }

    /// <summary>
    /// Small sets lie in memory as gray bytes; of photographs only the index does (a place, a label and a hash each).
    /// </summary>
    private static long Images(ProtocolSpec p) =>
        ((long)p.Data.TrainImages + p.Data.TestImages)
        * (p.Data.Name is DataSetNames.ImageNet or DataSetNames.Folder ? 200 : p.Data.ImageSize * p.Data.ImageSize);

    private static long Most(IEnumerable<StageBytes> moments, Device device) => moments.Max(m => m.On(device));
}
