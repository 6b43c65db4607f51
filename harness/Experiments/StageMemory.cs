using LutNative.Harness.Evaluation;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Networks;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Experiments;

/// <summary>Bytes of tensors at one moment: on the run's device, and on the host beside it.</summary>
public readonly record struct StageBytes(long Device, long Host)
{
    /// <summary>What of it the device's memory must hold: all of it where that is the host's.</summary>
    internal long On(Device device) => device.OnHost ? Device + Host : Device;

    public static StageBytes operator +(StageBytes a, StageBytes b) => new(a.Device + b.Device, a.Host + b.Host);
}

/// <summary>
/// What every stage of a protocol takes at its peak. The constructors that a stage itself uses run in arenas that only
/// count, so there is no second list of buffers that could be wrong. A stage with several moments, one of which is the
/// fullest on one device and another on another, lists them.
/// </summary>
public sealed class StageMemory(ProtocolSpec p, Device device, ExecOptions exec, BenchOptions? bench = null)
{
    /// <summary>A checkpoint goes to and from the disk through one buffer, whatever its size.</summary>
    private const long Checkpointing = CheckpointFile.Staging * sizeof(float);

    private readonly bool frozenData = bench is { FrozenData: true };
    private readonly int workers = Math.Min(exec.Threads, device.MostThreads);

    /// <summary>Threads of neighbours and probes, which run on the host.</summary>
    private readonly int hostWorkers = exec.Threads;

    private readonly Lut net = NetworkFactory.PretrainingOf(p);

    /// <summary>Student, teacher, moments and the prepared batches: made first, given back last.</summary>
    internal StageBytes Values
    {
        get
        {
            using var arena = Arena.Counting(device);
            _ = new PretrainValues(p.Pretrain, net, device, arena);
            var grid = net.Mae.Shape.Grid;
            int floats = net.Options.Context ? 2 * grid.ImageFloats : grid.ImageFloats;
            return new(
                arena.Taken,
                BatchFeed.Bytes(p.Pretrain.Batch, floats, grid.Patches, exec.DataWorkers, frozenData)
            );
        }
    }

    /// <summary>A step's buffers with its gradients; then, in their place, the picture of reconstructions.</summary>
    internal StageBytes[] Pretrain
    {
        get
        {
            using Arena values = Arena.Counting(device);
            using Arena step = Arena.Counting(device);
            using Arena picture = Arena.Counting(device);
            using var pool = new Pool(workers);
            var v = new PretrainValues(p.Pretrain, net, device, values);
            var plan = PretrainTrainer.PlanOf(p, device, exec);
            _ = new PretrainStep(net, v.Weights, v.TeacherWeights, device, pool, step, plan, exec.Recompute);
            GradientTree.Reserve(net.Layout, step, plan.Leaves, workers);
            var mask = new MaskPlan(net.Mae.Shape.Grid.Patches, net.Options.MaskRatio);
            int images = Math.Min(Reconstructions.Count, p.Data.TestImages);
            _ = new ReconstructionBuffers(net, mask, images, picture);
            return [new(step.Taken, Checkpointing), new(picture.Taken, 0)];
        }
    }

    /// <summary>Features of both sets as they are made; then, without the network, neighbours or the probe.</summary>
    internal StageBytes[] Frozen =>
        [FeaturePass + Tables(p.Model.Width, used: false), Tables(p.Model.Width, used: true)];

    /// <summary>The same of pixels, which need no network.</summary>
    internal StageBytes RawPixels => Tables(p.Data.ImageSize * p.Data.ImageSize, used: true);

    /// <summary>
    /// MAE's linear probe, of a protocol that has one: features batch by batch, then of the test set.
    /// </summary>
    internal StageBytes Linprobe
    {
        get
        {
            using Arena training = Arena.Counting();
            using Arena test = Arena.Counting();
            Device host = Host();
            var l = p.Linprobe!;
            var values = new LinprobeValues(l, p.Model.Width, p.Data.Classes, host, training);
            GradientTree.Reserve(values.State.Layout, training, l.Batch / l.Grain, hostWorkers);
            _ = new LinprobeScores(p.Data.TestImages, p.Model.Width, p.Data.Classes, test);
            return FeaturePass + new StageBytes(0, training.Taken + Math.Max(Checkpointing, test.Taken));
        }
    }

    /// <summary>
    /// Fine-tuning or training from scratch, and the classifier on the test set while its values stay.
    /// </summary>
    internal StageBytes[] Supervised
    {
        get
        {
            using Arena training = Arena.Counting(device);
            using Arena test = Arena.Counting(device);
            using Arena scores = Arena.Counting();
            using var pool = new Pool(workers);
            var f = p.Finetune;
            var classifier = NetworkFactory.ClassifierOf(p, training: true);
            _ = new SupervisedValues(f, classifier, device, pool, exec, training);
            int leaves = SupervisedValues.PlanOf(f, device, exec).Leaves;
            GradientTree.Reserve(classifier.Layout, training, leaves, workers);
            _ = new ClassifyBuffers(classifier, p.Data.TestImages, workers, test, scores);
            int floats = classifier.Shape.Grid.ImageFloats + classifier.Classes;
            long fed = BatchFeed.Bytes(f.Batch, floats, 0, exec.DataWorkers, frozenData);
            var kept = new StageBytes(training.Taken, fed);
            return [kept + new StageBytes(0, Checkpointing), kept + new StageBytes(test.Taken, scores.Taken)];
        }
    }

    /// <summary>The frozen trunk's buffers, a set for each worker.</summary>
    private StageBytes FeaturePass
    {
        get
        {
            using var arena = Arena.Counting(device);
            for (int w = 0; w < workers; w++)
                _ = new FeatureBuffers(net.Mae.Shape, Features.Chunk, device, arena);
            return new(arena.Taken, 0);
        }
    }

    /// <summary>
    /// Features of both sets, width floats each; while they are used, the larger of k-NN's and the linear probe's
    /// buffers besides.
    /// </summary>
    private StageBytes Tables(int width, bool used)
    {
        using Arena features = Arena.Counting();
        using Arena neighbours = Arena.Counting();
        using Arena probe = Arena.Counting();
        Device host = Host();
        int train = p.Data.TrainImages;
        int test = p.Data.TestImages;
        Features.Table(train, width, features);
        Features.Table(test, width, features);
        if (!used)
            return new(0, features.Taken);
        _ = new KnnBuffers(train, test, width, host, hostWorkers, neighbours);
        _ = new LinearProbeBuffers(p.Probe, train, test, width, p.Data.Classes, host, probe);
        return new(0, features.Taken + Math.Max(neighbours.Taken, probe.Taken));
    }

    /// <summary>Where the evaluations on features run (RunPreparation.HostDevice).</summary>
    private Device Host() => device.OnHost ? device : Cpu.Best();
}
