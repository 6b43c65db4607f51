using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>
/// The memory that a run will need at its peak, found by making every buffer of every stage in arenas that only count. What the runtime itself takes is an
/// estimate (measured; it matters for small networks only).
/// </summary>
public static unsafe class MemoryPlan
{
    /// <summary>Runtime, machine code, tables in memory: what `hello@1` takes beyond its buffers and images.</summary>
    private const long Runtime = 120L << 20;

    /// <summary>Peak bytes of a whole run: pre-training's values stay, its step's buffers go before the other stages begin.</summary>
    public static long Run(ProtocolSpec p, Device device, ExecOptions exec)
    {
        using var pool = new Pool(exec.Threads);
        long values = PretrainValues(p, device), step = PretrainStep(p, device, exec, pool), features = Features(p, exec), fine = Finetune(p, device, exec, pool);
        return Runtime + Images(p) + values + Math.Max(step, Math.Max(features, fine));
    }

    /// <summary>Peak bytes of the steps of one stage, as `lut bench` runs it.</summary>
    public static long Stage(ProtocolSpec p, string stage, Device device, ExecOptions exec)
    {
        using var pool = new Pool(exec.Threads);
        return Runtime + Images(p) + (stage == "pretrain" ? PretrainValues(p, device) + PretrainStep(p, device, exec, pool) : Finetune(p, device, exec, pool));
    }

    private static long Images(ProtocolSpec p) => (p.Data.TrainImages + p.Data.TestImages) * (long)(p.Data.ImageSize * p.Data.ImageSize);

    private static long PretrainValues(ProtocolSpec p, Device device)
    {
        using var arena = Arena.Counting();
        Pretrain(p, device, arena);
        return arena.Committed;
    }

    private static (Lut Net, Weights Student, Weights? Teacher) Pretrain(ProtocolSpec p, Device device, Arena arena)
    {
        var net = PretrainTrainer.NetworkOf(p);
        var student = new State(net.Layout, arena);
        var weights = new Weights(student, device, arena, backward: true);
        var teacher = net.Options.Context ? new Weights(new State(net.Layout, arena), device, arena, backward: false) : null;
        _ = new AdamWOptimizer(device, student, arena, 0, 0, 0, _ => default);
        return (net, weights, teacher);
    }

    private static long PretrainStep(ProtocolSpec p, Device device, ExecOptions exec, Pool pool)
    {
        using Arena values = Arena.Counting(), arena = Arena.Counting();
        var (net, student, teacher) = Pretrain(p, device, values);
        var plan = PretrainTrainer.PlanOf(p, exec);
        _ = new PretrainStep(net, student, teacher, device, pool, arena, plan, exec.Recompute);
        for (int i = 0; i < GradientTree.Buffers(plan.Batch / plan.Grain, pool.Workers); i++) arena.Floats(net.Layout.Length);
        var grid = net.Mae.Shape.Grid;
        long views = net.Options.Context ? 2 : 1, prepared = exec.DataWorkers > 0 || exec.FrozenData ? (exec.FrozenData ? 1L : 2L) * p.Pretrain.Batch * grid.ImageFloats * views * sizeof(float) : 0;
        return arena.Committed + prepared;
    }

    private static long Finetune(ProtocolSpec p, Device device, ExecOptions exec, Pool pool)
    {
        using var arena = Arena.Counting();
        var f = p.Finetune;
        var net = new Classifier(PretrainTrainer.ShapeOf(p), p.Data.Classes, f.GlobalPool, (float)f.DropPath);
        var state = new State(net.Layout, arena);
        var weights = new Weights(state, device, arena, backward: true);
        var plan = new BatchPlan(f.Batch, f.Batch, f.Grain, exec.MicroOf(f.Grain));
        _ = new ClassifierStep(net, weights, device, pool, arena, plan);
        _ = new AdamWOptimizer(device, state, arena, 0, 0, 0, _ => default);
        for (int i = 0; i < GradientTree.Buffers(plan.Batch / plan.Grain, pool.Workers); i++) arena.Floats(net.Layout.Length);
        return arena.Committed;
    }

    /// <summary>Frozen features of both sets and the encoder's buffers.</summary>
    private static long Features(ProtocolSpec p, ExecOptions exec)
    {
        using var arena = Arena.Counting();
        var shape = PretrainTrainer.ShapeOf(p);
        arena.Matrix(p.Data.TrainImages + p.Data.TestImages, shape.Width);
        for (int w = 0; w < exec.Threads; w++) _ = new EncoderActivations(arena, shape, Evaluation.Features.Chunk, shape.Grid.Patches, training: false);
        return arena.Committed;
    }
}
