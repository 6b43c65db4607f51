using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Tests.Networks;

/// <summary>
/// A whole step's gradient, loss and batch-norm buffers have the same bits on the scalar oracle and on every CPU width,
/// with any threads, micro-batch and recomputation, for every kind of head and mask.
/// </summary>
public unsafe class StepInvarianceTests
{
    private sealed class Noise(int seed) : ISampleSource, ILabelledSource
    {
        public void Load(int position, Span<float> u, Span<float> v, Span<ulong> keys)
        {
            var random = new Philox((ulong)seed, Purpose.Test, (ulong)position, 0, 0);
            foreach (ref float x in u)
                x = 2f * random.NextFloat() - 1f;
            foreach (ref float x in v)
                x = 2f * random.NextFloat() - 1f;
            for (int l = 0; l < keys.Length; l++)
                keys[l] = (ulong)random.NextUInt() << 32 | (uint)l;
        }

        public void Load(int position, Span<float> image, Span<float> target)
        {
            Load(position, image, [], []);
            target.Fill(0.05f);
            target[position % target.Length] = 0.5f;
        }

        public float DropPathDraw(int position, int block, int branch) =>
            new Philox((ulong)seed, Purpose.DropPath, (ulong)position, (uint)block, (uint)branch).NextFloat();
    }

    private static readonly VitShape Shape = new(new PatchGrid(12, 3), 20, 2, 2);

    [Theory]
    [InlineData(true, 0, 0, HeadNorm.BatchNorm, HeadActivation.Relu, 0.75, true, 1)]
    [InlineData(true, 1, 0, HeadNorm.BatchNorm, HeadActivation.Relu, 0.75, true, 2)]
    [InlineData(true, 2, 2, HeadNorm.BatchNorm, HeadActivation.Gelu, 0.5, false, 2)]
    [InlineData(true, 3, 3, HeadNorm.BatchNorm, HeadActivation.Relu, 0.75, true, 3)]
    [InlineData(true, 3, 2, HeadNorm.LayerNorm, HeadActivation.Gelu, 0.75, true, 1)]
    [InlineData(true, 2, 3, HeadNorm.None, HeadActivation.Relu, 0.9, true, 1)]
    [InlineData(true, 2, 2, HeadNorm.BatchNorm, HeadActivation.Relu, 0.3, true, 1)] // below 1/2 the second view keeps fewer patches
    [InlineData(false, 2, 2, HeadNorm.BatchNorm, HeadActivation.Relu, 0.75, false, 2)]
    public void PretrainingStep(
        bool context,
        int depthHead,
        int depthPred,
        HeadNorm norm,
        HeadActivation activation,
        double mask,
        bool normPix,
        int accum
    )
    {
        var options = new LutOptions(
            mask,
            normPix,
            1.0,
            context ? 0.25 : 0.0,
            context,
            depthHead,
            depthPred,
            24,
            norm,
            activation
        );
        string Run(Device device, int threads, int micro, bool recompute, int atOnce = 1)
        {
            using var arena = device.NewArena();
            using var pool = new Pool(threads);
            var net = new Lut(Shape, new DecoderShape(12, 1, 2), options);
            State student = new(net.Layout, arena);
            State teacher = new(net.Layout, arena);
            Initializer.Fill(student, 3);
            Initializer.Fill(teacher, 4);
            Weights ws = new(student, device, arena, true);
            Weights wt = new(teacher, device, arena, false);
            ws.Pack(pool);
            wt.Pack(pool);
            var step = new PretrainStep(
                net,
                ws,
                context ? wt : null,
                device,
                pool,
                arena,
                new BatchPlan(16 * accum, 16, 4, micro, atOnce),
                recompute
            );
            var loss = step.Run(new Noise(7));
            Assert.True(float.IsFinite(loss.Total) && loss.Mae > 0);
            var gradient = net
                .Layout.Entries.Where(e => e.Kind == EntryKind.Parameter)
                .Select(e => (e.Name, device.DigestOf(step.Gradient[e])));
            var buffers = net
                .Layout.Entries.Where(e => e.Kind == EntryKind.Buffer)
                .Select(e => (e.Name, student.DigestOf(e)));
            return $"{BitConverter.SingleToUInt32Bits(loss.Total):x8} "
                + $"{BitConverter.SingleToUInt32Bits(loss.Mae):x8} "
                + $"{BitConverter.SingleToUInt32Bits(loss.Context):x8} {Digest.Combine(gradient)} "
                + $"{Digest.Combine(buffers)} {string.Join(",", student.Counters)}";
        }
        string expected = Run(new OracleDevice(), 1, 4, false);
        foreach (var device in Cpu.All())
            Assert.Equal(expected, Run(device, 2, 4, false));
        Assert.Equal(expected, Run(Cpu.Best(), 1, 1, false));
        Assert.Equal(expected, Run(Cpu.Best(), 5, 2, false));
        // recomputing runs batch norm once all the same: only the student's trunk is repeated
        Assert.Equal(expected, Run(Cpu.Best(), 3, 2, true));
        OnTheEmulator(
            new EmulationOptions(Checks: true),
            device => Assert.Equal(expected, Run(device, 1, 4, false, 4))
        );
        OnTheEmulator(
            new EmulationOptions(),
            device =>
            {
                Assert.Equal(expected, Run(device, 1, 4, false, 2));
                Assert.Equal(expected, Run(device, 1, 4, true, 2));
                Assert.Equal(expected, Run(device, 1, 2, false));
            }
        );
    }

    [Theory]
    [InlineData(true, 0f)]
    [InlineData(false, 0f)]
    [InlineData(true, 0.4f)]
    public void FinetuningStep(bool globalPool, float dropPath)
    {
        string Run(Device device, int threads, int micro, int atOnce = 1)
        {
            using var arena = device.NewArena();
            using var pool = new Pool(threads);
            var net = new Classifier(Shape, 10, globalPool, dropPath);
            var state = new State(net.Layout, arena);
            Initializer.Fill(state, 5);
            var weights = new Weights(state, device, arena, true);
            weights.Pack(pool);
            var step = new ClassifierStep(net, weights, device, pool, arena, new BatchPlan(16, 16, 4, micro, atOnce));
            float loss = step.Run(new Noise(8));
            return $"{BitConverter.SingleToUInt32Bits(loss):x8} "
                + $"{Digest.Combine(net.Layout.Entries.Select(e => (e.Name, device.DigestOf(step.Gradient[e]))))}";
        }
        string expected = Run(new OracleDevice(), 1, 4);
        foreach (var device in Cpu.All())
            Assert.Equal(expected, Run(device, 2, 2));
        Assert.Equal(expected, Run(Cpu.Best(), 3, 1));
        OnTheEmulator(new EmulationOptions(Checks: true), device => Assert.Equal(expected, Run(device, 1, 4, 4)));
        OnTheEmulator(new EmulationOptions(), device => Assert.Equal(expected, Run(device, 1, 2)));
    }

    /// <summary>From its third time on a step's segments are graphs; bits and losses stay.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void AStepThatIsReplayedKeepsItsBits(int atOnce) =>
        OnTheEmulator(
            new EmulationOptions(),
            device =>
            {
                using var arena = device.NewArena();
                using var pool = new Pool(1);
                var net = new Lut(
                    Shape,
                    new DecoderShape(12, 1, 2),
                    new LutOptions(0.75, true, 1.0, 0.25, true, 2, 2, 24, HeadNorm.BatchNorm, HeadActivation.Relu)
                );
                State student = new(net.Layout, arena);
                State teacher = new(net.Layout, arena);
                Initializer.Fill(student, 3);
                Initializer.Fill(teacher, 4);
                var step = new PretrainStep(
                    net,
                    new Weights(student, device, arena, true),
                    new Weights(teacher, device, arena, false),
                    device,
                    pool,
                    arena,
                    new BatchPlan(16, 16, 4, 4, atOnce)
                );
                var seen = new List<string>();
                for (int i = 0; i < 6; i++)
                {
                    device.BeginStep("test");
                    var loss = step.Run(new Noise(7 + (i == 4 ? 1 : 0)));
                    device.EndStep();
                    var parameters = net.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter);
                    var gradients = parameters.Select(e => (e.Name, device.DigestOf(step.Gradient[e])));
                    seen.Add($"{BitConverter.SingleToUInt32Bits(loss.Total):x8} {Digest.Combine(gradients)}");
                }
                Assert.True(((CudaDevice)device).Replays > 0);
                Assert.Equal(
                    [seen[0], seen[0], seen[0], seen[0], seen[0]],
                    [seen[0], seen[1], seen[2], seen[3], seen[5]]
                );
                Assert.NotEqual(seen[0], seen[4]); // other images through the same graph
            }
        );

    private static void OnTheEmulator(EmulationOptions options, Action<Device> test)
    {
        using var driver = new EmulatedDriver(options);
        using (var device = new CudaDevice(driver, 0, "cuda:emulated", separate: options.Checks))
            test(device);
        Assert.Equal(0, driver.LiveHandles);
    }
}
