using LutNative.Harness.Evaluation;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Networks;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Tests;

/// <summary>
/// The plan of memory is the arenas' high-water mark: every stage runs for real, and what its arenas then hold is what
/// was counted, to the byte. With one worker, whose order of grains is fixed.
/// </summary>
public sealed class StageMemoryTests
{
    private static readonly ExecOptions OneThread = new(1, 0, 0, TimeSpan.Zero);

    /// <summary>A checkpoint's buffer, which is no arena's.</summary>
    private const long Checkpointing = Model.Checkpoints.CheckpointFile.Staging * sizeof(float);

    private readonly Device device = Cpu.Best();

    private static ProtocolSpec Hello(params string[] settings) => ProtocolReader.Load("hello@1", settings).Spec;

    private static (Views Train, Views Test) ViewsOf(ProtocolSpec p)
    {
        var (train, test) = DataSets.Load(p.Data, null);
        return (new Views(p, train), new Views(p, test));
    }

    [Theory]
    [InlineData("lut", 0, false)]
    [InlineData("lut", 4, false)]
    [InlineData("lut", 0, true)]
    [InlineData("mae", 0, false)]
    [InlineData("mae", 4, false)]
    public void Pretraining(string method, int microBatch, bool recompute)
    {
        var p = Hello($"pretrain.method={method}");
        var exec = OneThread with { MicroBatch = microBatch, Recompute = recompute };
        var memory = new StageMemory(p, device, exec);
        using var pool = new Pool(1);
        using var t = new PretrainTrainer(p, ViewsOf(p).Train, device, pool, exec);
        Assert.Equal(memory.Values.Device, t.Arena.Bytes);
        t.Step(0);
        t.Step(1);
        Assert.Equal(memory.Values.Device, t.Arena.Bytes);
        using var picture = device.NewArena();
        var mask = new MaskPlan(t.Net.Mae.Shape.Grid.Patches, t.Net.Options.MaskRatio);
        _ = new ReconstructionBuffers(t.Net, mask, Reconstructions.Count, picture);
        StageBytes[] expected = [new(t.StepBytes, Checkpointing), new(picture.Bytes, 0)];
        Assert.Equal(expected, memory.Pretrain);
    }

    /// <summary>Where grains finish in another order, gradients are all that can be more or fewer.</summary>
    [Fact]
    public void MoreWorkersDifferByWholeGradientsAtMost()
    {
        var p = Hello();
        var exec = OneThread with { Threads = 3 };
        using var pool = new Pool(3);
        using var t = new PretrainTrainer(p, ViewsOf(p).Train, device, pool, exec);
        t.Step(0);
        using var arena = new Arena();
        _ = new State(t.Net.Layout, arena);
        Assert.Equal(0, (t.StepBytes - new StageMemory(p, device, exec).Pretrain[0].Device) % arena.Bytes);
    }

    [Fact]
    public void PreparedBatches()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var feed = new BatchFeed(64, 2 * 2352, 0, 16, 2, false, (_, _, _, _, _) => { });
        long taken = GC.GetAllocatedBytesForCurrentThread() - before;
        long counted = BatchFeed.Bytes(64, 2 * 2352, 16, 2, false);
        Assert.InRange(taken - counted, 0, 64 << 10); // threads and digests besides
        Assert.Equal(counted, new StageMemory(Hello(), device, OneThread with { DataWorkers = 2 }).Values.Host);
        Assert.Equal(0, new StageMemory(Hello(), device, OneThread).Values.Host);
    }

    [Fact]
    public void FeaturesNeighboursAndProbe()
    {
        var p = Hello();
        var (train, test) = ViewsOf(p);
        using var pool = new Pool(1);
        using var t = new PretrainTrainer(p, train, device, pool, OneThread);
        using var features = new Features(t.Net, t.PackedStudent(), device, pool);
        using var tables = new Arena();
        features.Encode(train, tables);
        features.Encode(test, tables);
        long used = tables.Bytes + Math.Max(Neighbours(p.Model.Width), Probe(p, p.Model.Width));
        StageBytes[] expected = [new(features.Bytes, tables.Bytes), new(0, used)];
        Assert.Equal(expected, new StageMemory(p, device, OneThread).Frozen);
    }

    [Fact]
    public void RawPixels()
    {
        var p = Hello();
        var (train, test) = DataSets.Load(p.Data, null);
        using var tables = new Arena();
        Features.RawPixels((GrayImages)train, tables);
        Features.RawPixels((GrayImages)test, tables);
        int pixels = p.Data.ImageSize * p.Data.ImageSize;
        long host = tables.Bytes + Math.Max(Neighbours(pixels), Probe(p, pixels));
        Assert.Equal(new StageBytes(0, host), new StageMemory(p, device, OneThread).RawPixels);
    }

    [Fact]
    public void LinearProbe()
    {
        var l = new LinprobeSpec(1, 64, 32, 16, 0.1, "linear/256", 0.0, 0.0, 0.0, 0.9, 0.001, "cls", 0.2, 1);
        var p = Hello() with { Linprobe = l };
        var (train, test) = ViewsOf(p);
        using var pool = new Pool(1);
        using var pretrained = new PretrainTrainer(p, train, device, pool, OneThread);
        using var features = new Features(pretrained.Net, pretrained.PackedStudent(), device, pool, cls: true);
        using var t = new LinprobeTrainer(p, features, train, device, pool);
        t.Step(0);
        t.Step(1);
        t.Evaluate(test);
        using var scores = new Arena();
        _ = new LinprobeScores(test.Images.Count, p.Model.Width, p.Data.Classes, scores);
        long host = t.Arena.Bytes + Math.Max(Checkpointing, scores.Bytes);
        Assert.Equal(new StageBytes(features.Bytes, host), new StageMemory(p, device, OneThread).Linprobe);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 4)]
    public void SupervisedTraining(bool fromTrunk, int microBatch)
    {
        var p = Hello();
        var (train, test) = ViewsOf(p);
        var exec = OneThread with { MicroBatch = microBatch };
        using var pool = new Pool(1);
        using var pretrained = new PretrainTrainer(p, train, device, pool, exec);
        using var t = new FinetuneTrainer(p, train, device, pool, exec, fromTrunk ? pretrained.Student : null);
        t.Step(0);
        t.Step(1);
        using var arena = device.NewArena();
        using var host = new Arena();
        _ = new ClassifyBuffers(t.Net, test.Images.Count, pool.Workers, arena, host);
        StageBytes[] expected = [new(t.Arena.Bytes, Checkpointing), new(t.Arena.Bytes + arena.Bytes, host.Bytes)];
        Assert.Equal(expected, new StageMemory(p, device, exec).Supervised);
    }

    /// <summary>A run's plan is no less than any of its stages beside the trained values.</summary>
    [Fact]
    public void ARunHoldsItsLargestStage()
    {
        var p = Hello();
        var memory = new StageMemory(p, device, OneThread);
        StageBytes[] stages = [.. memory.Pretrain, .. memory.Frozen, .. memory.Supervised, memory.RawPixels];
        long most = memory.Values.On(device) + stages.Max(s => s.On(device));
        Assert.InRange(MemoryPlan.Run(p, device, OneThread) - most, 170L << 20, (171L << 20) + (1 << 20));
    }

    private long Neighbours(int width)
    {
        var p = Hello();
        using var arena = new Arena();
        _ = new KnnBuffers(p.Data.TrainImages, p.Data.TestImages, width, device, 1, arena);
        return arena.Bytes;
    }

    private long Probe(ProtocolSpec p, int width)
    {
        using var arena = new Arena();
        _ = new LinearProbeBuffers(
            p.Probe,
            p.Data.TrainImages,
            p.Data.TestImages,
            width,
            p.Data.Classes,
            device,
            arena
        );
        return arena.Bytes;
    }
}
