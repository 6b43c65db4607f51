using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Experiments;

/// <summary>
/// The memory that a run will need at its peak, found by making every buffer of every stage in arenas that only count.
/// What the runtime itself takes is an estimate (measured; it matters for small networks only).
/// </summary>
public static unsafe class MemoryPlan
{
    /// <summary>
    /// Runtime, machine code and its heap while stepping, and the tables, pictures and Parquet writer of a whole run
    /// besides.
    /// </summary>
    private const long Stepping = 95L << 20;
    private const long Recording = 75L << 20;

    /// <summary>A checkpoint goes to and from the disk through one buffer, whatever its size.</summary>
    private const long Checkpointing = CheckpointFile.Staging * sizeof(float);

    /// <summary>A GPU's copies of index tables and an operation's scratch.</summary>
    private const long Transfers = 8L << 20;

    /// <summary>
    /// Peak bytes of a whole run: pre-training's values stay, its step's buffers go before the other stages begin.
    /// </summary>
    public static long Run(ProtocolSpec p, Device device, ExecOptions exec)
    {
        using var pool = device.NewPool(exec.Threads);
        long values = PretrainValues(p, device);
        long step = PretrainStep(p, device, exec, pool);
        long fine = Finetune(p, device, exec, pool);
        if (!device.OnHost)
            return Transfers + values + Math.Max(Math.Max(step, fine), Encoder(p, device, exec with { Threads = 1 }));
        long features = Encoder(p, device, exec) + Evaluation(p, p.Model.Width, exec);
        long raw = p.Baselines.RawPixels ? Evaluation(p, p.Data.ImageSize * p.Data.ImageSize, exec) : 0;
        return Stepping
            + Recording
            + Checkpointing
            + Images(p)
            + values
            + Math.Max(Math.Max(step, fine), Math.Max(features, raw));
    }

    /// <summary>
    /// Bytes of the trained values (student, teacher, moments), of a pre-training step's buffers, and of everything in
    /// fine-tuning.
    /// </summary>
    public static (long Values, long Pretrain, long Finetune) Phases(ProtocolSpec p, Device device, ExecOptions exec)
    {
        using var pool = device.NewPool(exec.Threads);
        return (PretrainValues(p, device), PretrainStep(p, device, exec, pool), Finetune(p, device, exec, pool));
    }

    /// <summary>
    /// Bytes of a checkpoint of pre-training and of one of supervised training, and what the disk must hold at the
    /// most: of the running stage two and the one that is being written, those that are kept for good, and the last of
    /// every finished stage.
    /// </summary>
    public static (long Pretrain, long Supervised, long Disk) Checkpoints(ProtocolSpec p, int keepEpochs)
    {
        using var arena = Arena.Counting();
        var net = PretrainTrainer.NetworkOf(p);
        var student = new State(net.Layout, arena);
        long pretrain = CheckpointFile.DataBytes([
            ("student", student),
            ("exp_avg", student),
            ("exp_avg_sq", student),
            .. net.Options.Context ? [("teacher", student)] : Array.Empty<(string, State)>(),
        ]);
        var classifier = new State(
            new Classifier(PretrainTrainer.ShapeOf(p), p.Data.Classes, p.Finetune.GlobalPool, 0f).Layout,
            arena
        );
        long supervised = CheckpointFile.DataBytes([
            ("student", classifier),
            ("exp_avg", classifier),
            ("exp_avg_sq", classifier),
        ]);
        long Kept(int epochs) => keepEpochs > 0 ? epochs / keepEpochs : 0;
        long after = (1 + Kept(p.Pretrain.Epochs)) * pretrain;
        long trainings =
            p.Finetune.Epochs == 0 ? 0
            : p.Baselines.Scratch ? 2
            : 1;
        long running = trainings * (1 + Kept(p.Finetune.Epochs)) * supervised + (trainings > 0 ? 2 * supervised : 0);
        return (pretrain, supervised, after + Math.Max(2 * pretrain, running));
    }

    /// <summary>Peak bytes of the steps of one stage, as `lut bench` runs it.</summary>
    public static long Stage(ProtocolSpec p, string stage, Device device, ExecOptions exec)
    {
        using var pool = new Pool(exec.Threads);
        return Stepping
            + Images(p)
            + (
                stage == "pretrain"
                    ? PretrainValues(p, device) + PretrainStep(p, device, exec, pool)
                    : Finetune(p, device, exec, pool)
            );
    }

    /// <summary>
    /// What to say when a device has too little memory: what was predicted, and the largest setting that should fit.
    /// </summary>
    public static LutError TooLittle(RunRequest request, Exception cause)
    {
        var (p, device, exec) = (request.Protocol.Spec, request.Device, request.Exec);
        string fix = Fitting(p, device, exec) is { } fit
            ? FormattableString.Invariant(
                $"--micro-batch {fit.MicroBatch}{(fit.Recompute ? " --memory recompute" : "")} should fit; the bits are the same"
            )
            : "use a device with more memory, or --device cpu: the bits are the same";
        return new LutError(
            Exit.Unfit,
            13,
            "the device has too little memory",
            FormattableString.Invariant($"--device {device.Name}, {device.MemoryBytes >> 20} MiB"),
            FormattableString.Invariant(
                $"the run was predicted to need {Run(p, device, exec) >> 20} MiB; {cause.Message}"
            ),
            fix
        );
    }

    /// <summary>The largest setting that needs less than was asked for and fits a device, or null.</summary>
    internal static ExecOptions? Fitting(ProtocolSpec p, Device device, ExecOptions exec)
    {
        double most = 0.9 * (device.MemoryBytes ?? 0);
        int asked = PretrainTrainer.PlanOf(p, device, exec).Samples;
        foreach (bool recompute in new[] { exec.Recompute, true })
            for (int micro = asked / 2; micro >= 1; micro /= 2)
                if (
                    exec with { MicroBatch = micro, Recompute = recompute } is var smaller
                    && Run(p, device, smaller) < most
                )
                    return smaller;
        return null;
    }

    /// <summary>
    /// Small sets lie in memory as gray bytes; of photographs only the index does (a place, a label and a hash each).
    /// </summary>
    private static long Images(ProtocolSpec p) =>
        ((long)p.Data.TrainImages + p.Data.TestImages)
        * (p.Data.Name is DataSets.ImageNet or DataSets.Folder ? 200 : p.Data.ImageSize * p.Data.ImageSize);

    private static long PretrainValues(ProtocolSpec p, Device device)
    {
        using var arena = Arena.Counting(device);
        Pretrain(p, device, arena);
        return arena.Taken;
    }

    private static (Lut Net, Weights Student, Weights? Teacher) Pretrain(ProtocolSpec p, Device device, Arena arena)
    {
        var net = PretrainTrainer.NetworkOf(p);
        var student = new State(net.Layout, arena);
        var weights = new Weights(student, device, arena, backward: true);
        var teacher = net.Options.Context
            ? new Weights(new State(net.Layout, arena), device, arena, backward: false)
            : null;
        _ = new AdamWOptimizer(device, student, arena, 0, 0, 0, _ => default);
        return (net, weights, teacher);
    }

    private static long PretrainStep(ProtocolSpec p, Device device, ExecOptions exec, Pool pool)
    {
        using Arena values = Arena.Counting(device);
        using Arena arena = Arena.Counting(device);
        var (net, student, teacher) = Pretrain(p, device, values);
        var plan = PretrainTrainer.PlanOf(p, device, exec);
        _ = new PretrainStep(net, student, teacher, device, pool, arena, plan, exec.Recompute);
        for (int i = 0; i < GradientTree.Buffers(plan.Batch / plan.Grain, pool.Workers); i++)
            arena.Floats(net.Layout.Length);
        var grid = net.Mae.Shape.Grid;
        long views = net.Options.Context ? 2 : 1;
        long prepared =
            exec.DataWorkers > 0 || exec.FrozenData
                ? (exec.FrozenData ? 1L : 2L) * p.Pretrain.Batch * grid.ImageFloats * views * sizeof(float)
                : 0;
        return arena.Taken + prepared;
    }

    private static long Finetune(ProtocolSpec p, Device device, ExecOptions exec, Pool pool)
    {
        using var arena = Arena.Counting(device);
        var f = p.Finetune;
        var net = new Classifier(PretrainTrainer.ShapeOf(p), p.Data.Classes, f.GlobalPool, (float)f.DropPath);
        var state = new State(net.Layout, arena);
        var weights = new Weights(state, device, arena, backward: true);
        var plan = exec.PlanOf(device, f.Batch, f.Batch, f.Grain);
        _ = new ClassifierStep(net, weights, device, pool, arena, plan);
        _ = new AdamWOptimizer(device, state, arena, 0, 0, 0, _ => default);
        for (int i = 0; i < GradientTree.Buffers(plan.Batch / plan.Grain, pool.Workers); i++)
            arena.Floats(net.Layout.Length);
        return arena.Taken;
    }

    /// <summary>The encoder's buffers while features are made.</summary>
    private static long Encoder(ProtocolSpec p, Device device, ExecOptions exec)
    {
        using var arena = Arena.Counting(device);
        var shape = PretrainTrainer.ShapeOf(p);
        for (int w = 0; w < exec.Threads; w++)
            _ = new EncoderActivations(arena, shape, Features.Chunk, shape.Grid.Patches, training: false);
        return arena.Taken;
    }

    /// <summary>
    /// Features of both sets, d floats each; k-NN's unit vectors, their packed copy and a similarity table a worker.
    /// </summary>
    private static long Evaluation(ProtocolSpec p, int d, ExecOptions exec)
    {
        long train = p.Data.TrainImages;
        long all = train + p.Data.TestImages;
        return sizeof(float) * (2 * all * d + train * d + exec.Threads * Knn.Chunk * train);
    }
}
