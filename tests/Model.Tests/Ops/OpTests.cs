using System.Reflection;
using LutNative.Interop;
using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Tests.Numerics;

namespace LutNative.Model.Tests.Ops;

/// <summary>
/// Every operation, at every vector width, equals its oracle bit for bit. A case builds its tensors, runs on a device
/// and lists its outputs; the same case runs on all devices. To add an operation: add its cases here; the inventory
/// test names what is missing.
/// </summary>
public unsafe class OpTests
{
    private sealed class Bench(Device device) : IDisposable
    {
        private readonly Arena arena = device.NewArena();
        private int seed = 1;

        public Device Device { get; } = device;
        public List<(string Name, Mat Value)> Outputs { get; } = [];

        /// <summary>A tensor of Philox noise; the same on every device.</summary>
        public Mat In(int rows, int cols, float scale = 2f)
        {
            Mat m = arena.Matrix(rows, cols);
            Device.Write(m, Inputs.Floats(rows * cols, seed++, scale));
            return m;
        }

        public Mat Out(string name, int rows, int cols) => Watch(name, In(rows, cols));

        public Mat Watch(string name, Mat m)
        {
            Outputs.Add((name, m));
            return m;
        }

        /// <summary>Non-negative noise, for variances.</summary>
        public Mat Square(int rows, int cols)
        {
            Mat m = arena.Matrix(rows, cols);
            Device.Write(m, [.. Inputs.Floats(rows * cols, seed++, 2f).Select(x => x * x)]);
            return m;
        }

        public Weight Weight(int outputs, int inputs)
        {
            Mat w = In(outputs, inputs);
            long f = Device.PackedFloats(inputs, outputs);
            long b = Device.PackedFloats(outputs, inputs);
            var packed = new Weight(w, f > 0 ? arena.Floats(f) : null, b > 0 ? arena.Floats(b) : null);
            if (f > 0)
                Device.Pack(packed.ForwardPanels, w.Data, 1, inputs, inputs, outputs);
            if (b > 0)
                Device.Pack(packed.BackwardPanels, w.Data, inputs, 1, outputs, inputs);
            return packed;
        }

        public void Dispose() => arena.Dispose();
    }

    private static int[] Shuffled(int n, int seed)
    {
        ulong[] keys =
        [
            .. Enumerable
                .Range(0, n)
                .Select(i => (ulong)Philox.Block((uint)i, (uint)seed, 0, 0, 1, 1).Item1 << 32 | (uint)i),
        ];
        Array.Sort(keys);
        return [.. keys.Select(k => (int)(uint)k)];
    }

    private static readonly Dictionary<string, Action<Bench>> Cases = Build();

    private static Dictionary<string, Action<Bench>> Build()
    {
        var cases = new Dictionary<string, Action<Bench>>();
        // sizes: one, a vector less and more, primes, a panel less and more, longer than a k block, a model's
        foreach (
            var (m, n, k) in new[]
            {
                (1, 1, 1),
                (5, 7, 3),
                (13, 31, 17),
                (12, 32, 64),
                (29, 33, 65),
                (97, 48, 130),
                (24, 96, 1030),
                (160, 128, 128),
            }
        )
        {
            cases[$"GemmNt {m}x{n}x{k}"] = b =>
                Gemm.Nt(b.Device, b.Out("y", m, n), b.In(m, k), b.Weight(n, k), Epilogue.None);
            cases[$"GemmNt bias residual {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.AddBiasResidual(b.In(1, n), b.In(m, n))
                );
            cases[$"GemmNt bias gelu {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.BiasGelu(b.In(1, n), b.Out("pre", m, n), b.Out("erf", m, n))
                );
            cases[$"GemmNt bias gelu, nothing kept {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.BiasGelu(b.In(1, n), default, default)
                );
            cases[$"GemmNn gelu backward {m}x{n}x{k}"] = b =>
                Gemm.Nn(
                    b.Device,
                    b.Out("dx", m, k),
                    b.In(m, n),
                    b.Weight(n, k),
                    Epilogue.GeluBackward(b.In(m, k), b.In(m, k, 1f))
                );
            cases[$"GemmTn {m}x{n}x{k}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", n, k), b.In(m, n), b.In(m, k), accumulate: false);
            cases[$"GemmTn continued {m}x{n}x{k}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", n, k), b.In(m, n), b.In(m, k), accumulate: true);
        }
        // several row blocks and k blocks, dW with packed operands, ragged in every direction, rows whole pages apart
        foreach (
            var (m, n, k) in new[] { (530, 389, 401), (7, 400, 2050), (1030, 33, 390), (277, 70, 1024), (30, 33, 3072) }
        )
        {
            cases[$"GemmNt large {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.AddBiasResidual(b.In(1, n), b.In(m, n))
                );
            cases[$"GemmNt large, bare {m}x{n}x{k}"] = b =>
                Gemm.Nt(b.Device, b.Out("y", m, n), b.In(m, k), b.Weight(n, k), Epilogue.None);
            cases[$"GemmNn large {m}x{n}x{k}"] = b =>
                Gemm.Nn(b.Device, b.Out("dx", m, k), b.In(m, n), b.Weight(n, k), Epilogue.None);
            cases[$"GemmTn large {m}x{n}x{k}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", n, k), b.In(m, n), b.In(m, k), accumulate: true);
        }
        // GELU's arguments within the polynomial's range, and beyond it here and there
        foreach (float scale in new[] { 0.3f, 0.9f })
            cases[$"GemmNt bias gelu, arguments of about {scale * scale * 4:f1}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", 40, 75),
                    b.In(40, 48, scale),
                    b.Weight(75, 48),
                    Epilogue.BiasGelu(b.In(1, 75, scale), b.Out("pre", 40, 75), b.Out("erf", 40, 75))
                );
        foreach (var (r, d) in new[] { (1, 1), (3, 17), (5, 63), (4, 64), (7, 65), (6, 385), (33, 128) })
        {
            cases[$"GeluForward {r}x{d}"] = b =>
                Gelu.Forward(b.Device, b.Out("y", r, d), b.Out("erf", r, d), b.In(r, d, 6f));
            cases[$"GeluBackward {r}x{d}"] = b =>
                Gelu.Backward(b.Device, b.Out("dx", r, d), b.In(r, d), b.In(r, d, 4f), b.In(r, d, 1f));
            cases[$"LayerNormForward {r}x{d}"] = b =>
                LayerNorm.Forward(
                    b.Device,
                    b.Out("y", r, d),
                    b.Out("stats", r, 2),
                    b.In(r, d),
                    b.In(1, d),
                    b.In(1, d),
                    1e-6f
                );
            foreach (bool residual in new[] { false, true })
                cases[$"LayerNormBackward {(residual ? "residual " : "")}{r}x{d}"] = b =>
                    LayerNorm.Backward(
                        b.Device,
                        b.Out("dx", r, d),
                        b.Out("dWeight", 1, d),
                        b.Out("dBias", 1, d),
                        b.In(r, d),
                        b.In(r, d),
                        b.In(r, 2),
                        b.In(1, d),
                        residual ? b.In(r, d) : default
                    );
            cases[$"Add {r}x{d}"] = b => Elementwise.Add(b.Device, b.Out("y", r, d), b.In(r, d), b.In(r, d));
            cases[$"Scale {r}x{d}"] = b => Elementwise.Scale(b.Device, b.Out("y", r, d), b.In(r, d), 0.37f);
            cases[$"Relu {r}x{d}"] = b => Elementwise.Relu(b.Device, b.Out("y", r, d), b.In(r, d));
            cases[$"Relu backward {r}x{d}"] = b =>
                Elementwise.ReluBackward(b.Device, b.Out("dx", r, d), b.In(r, d), b.In(r, d));
            cases[$"ColumnSum {r}x{d}"] = b => Elementwise.ColumnSum(b.Device, b.Out("acc", 1, d), b.In(r, d));
            cases[$"ColumnSum strided {r}x{d}"] = b =>
                Elementwise.ColumnSum(b.Device, b.Out("acc", 1, d), b.In(r * 3, d), 1, 3);
            cases[$"SquaredNorm {r}x{d}"] = b => Elementwise.SquaredNorm(b.Device, b.Out("norm", 1, 1), b.In(r, d));
            cases[$"AdamW {r}x{d}"] = b =>
                AdamW.Update(
                    b.Device,
                    b.Out("p", r, d),
                    b.Out("m", r, d),
                    b.Watch("v", b.Square(r, d)),
                    b.In(r, d),
                    new AdamWScalars(0.999f, 0.1f, 0.95f, 0.05f, 0.3f, 1e-3f, 1e-8f)
                );
            cases[$"Average {r}x{d}"] = b => AdamW.Average(b.Device, b.Out("e", r, d), b.In(r, d), 0.004f);
            cases[$"ContextLoss {r}x{d}"] = b =>
                ContextLoss.Run(b.Device, b.Out("loss", r, 1), b.Out("dq", r, d), b.In(r, d), b.In(r, d), -0.01f);
            cases[$"CrossEntropy {r}x{d}"] = b =>
                CrossEntropy.Run(
                    b.Device,
                    b.Out("loss", r, 1),
                    b.Out("dx", r, d),
                    b.In(r, d, 9f),
                    b.In(r, d, 1f),
                    0.25f
                );
            cases[$"PatchNormalise {r}x{d}"] = b =>
            {
                if (d > 1)
                    PatchTarget.Normalise(b.Device, b.Out("target", r, d));
            };
        }
        foreach (var (s, size, patch, channels) in new[] { (1, 4, 4, 1), (3, 12, 4, 3), (2, 10, 5, 2) })
        {
            var grid = new PatchGrid(size, patch, channels);
            int[] index =
            [
                .. Enumerable.Range(0, s).SelectMany(i => Shuffled(grid.Patches, 9 + i).Take((grid.Patches + 1) / 2)),
            ];
            cases[$"PatchifyEmbed {s} {size}/{patch} {channels}"] = b =>
                Patchify.Embed(
                    b.Device,
                    b.Out("columns", index.Length, grid.PatchFloats),
                    b.In(s, grid.ImageFloats),
                    index,
                    grid
                );
            cases[$"PatchifyTarget {s} {size}/{patch} {channels}"] = b =>
                Patchify.Target(
                    b.Device,
                    b.Out("target", s * grid.Patches, grid.PatchFloats),
                    b.In(s, grid.ImageFloats),
                    grid
                );
        }
        // several leaves at once
        foreach (int l in new[] { 2, 4 })
        {
            int[] restore = [.. Enumerable.Range(0, 2 * l).SelectMany(i => Shuffled(9, i))];
            int[] index = [.. Enumerable.Range(0, 2 * l).SelectMany(i => Shuffled(9, 50 + i).Take(3))];
            foreach (bool on in new[] { false, true })
                cases[$"GemmTn {l} leaves{(on ? " continued" : "")}"] = b =>
                    Gemm.Tn(b.Device, b.Out("dw", l * 70, 33), b.In(l * 13, 70), b.In(l * 13, 33), on);
            cases[$"ColumnSum {l} leaves"] = b => Elementwise.ColumnSum(b.Device, b.Out("acc", l, 35), b.In(l * 7, 35));
            cases[$"LayerNormBackward {l} leaves"] = b =>
                LayerNorm.Backward(
                    b.Device,
                    b.Out("dx", l * 6, 65),
                    b.Out("dWeight", l, 65),
                    b.Out("dBias", l, 65),
                    b.In(l * 6, 65),
                    b.In(l * 6, 65),
                    b.In(l * 6, 2),
                    b.In(1, 65),
                    b.In(l * 6, 65)
                );
            cases[$"TokensEmbedBackward {l} leaves"] = b =>
                Tokens.EmbedBackward(
                    b.Device,
                    b.Out("dPatches", l * 6, 21),
                    b.Out("dCls", l, 21),
                    b.Out("dPos", l * 10, 21),
                    b.In(l * 8, 21),
                    index
                );
            cases[$"TokensRestoreBackward {l} leaves"] = b =>
                Tokens.RestoreBackward(
                    b.Device,
                    b.Out("dy", l * 8, 21),
                    b.Out("dMask", l, 21),
                    b.In(l * 20, 21),
                    restore,
                    3
                );
        }
        foreach (int l in new[] { 1, 2, 5, 8 })
            cases[$"LeavesTree {l}"] = b => Leaves.Tree(b.Device, b.Out("sum", 3, 37), b.In(l * 3, 37));
        foreach (var (batch, grain, c) in new[] { (2, 1, 1), (6, 2, 17), (12, 4, 33), (40, 8, 64) })
        {
            cases[$"BatchNormForward {batch}/{grain} {c}"] = b =>
                BatchNorm.Forward(
                    b.Device,
                    b.Out("y", batch, c),
                    b.Out("stats", 2, c),
                    b.Out("mean", 1, c),
                    b.Out("var", 1, c),
                    b.In(batch, c),
                    b.In(1, c),
                    b.In(1, c),
                    grain,
                    0.1f,
                    1e-5f
                );
            cases[$"BatchNormEvaluate {batch} {c}"] = b =>
                BatchNorm.Evaluate(
                    b.Device,
                    b.Out("y", batch, c),
                    b.In(batch, c),
                    b.In(1, c),
                    b.Square(1, c),
                    b.In(1, c),
                    b.In(1, c),
                    1e-5f
                );
            cases[$"BatchNormBackward {batch}/{grain} {c}"] = b =>
                BatchNorm.Backward(
                    b.Device,
                    b.Out("dx", batch, c),
                    b.Out("dWeight", batch / grain, c),
                    b.Out("dBias", batch / grain, c),
                    b.In(batch, c),
                    b.In(batch, c),
                    b.In(2, c),
                    b.In(1, c),
                    grain
                );
        }
        foreach (
            var (s, n, heads, e) in new[]
            {
                (1, 1, 1, 1),
                (2, 5, 2, 12),
                (2, 17, 3, 8),
                (1, 33, 2, 32),
                (3, 16, 1, 16),
                (1, 70, 2, 24),
            }
        )
        {
            int d = heads * e;
            cases[$"AttentionForward {s} {n} {heads}x{e}"] = b =>
                Attention.Forward(
                    b.Device,
                    b.Out("out", s * n, d),
                    b.Out("prob", s * heads * n, n),
                    b.In(s * n, 3 * d),
                    n,
                    heads,
                    0.3f
                );
            cases[$"AttentionForward nothing kept {s} {n} {heads}x{e}"] = b =>
                Attention.Forward(b.Device, b.Out("out", s * n, d), default, b.In(s * n, 3 * d), n, heads, 0.3f);
            cases[$"AttentionBackward {s} {n} {heads}x{e}"] = b =>
                Attention.Backward(
                    b.Device,
                    b.Out("dQkv", s * n, 3 * d),
                    b.In(s * n, d),
                    b.In(s * heads * n, n, 1f),
                    b.In(s * n, 3 * d),
                    n,
                    heads,
                    0.3f
                );
        }
        foreach (var (s, patches, kept, d) in new[] { (1, 4, 1, 5), (3, 16, 4, 24), (2, 9, 8, 33) })
        {
            int[] restore = [.. Enumerable.Range(0, s).SelectMany(i => Shuffled(patches, i))];
            int[] index = [.. Enumerable.Range(0, s).SelectMany(i => Shuffled(patches, 50 + i).Take(kept))];
            cases[$"TokensEmbed {s} {kept}/{patches} {d}"] = b =>
                Tokens.Embed(
                    b.Device,
                    b.Out("x", s * (kept + 1), d),
                    b.In(s * kept, d),
                    b.In(1, d),
                    b.In(patches + 1, d),
                    index
                );
            cases[$"TokensEmbedBackward {s} {kept}/{patches} {d}"] = b =>
                Tokens.EmbedBackward(
                    b.Device,
                    b.Out("dPatches", s * kept, d),
                    b.Out("dCls", 1, d),
                    b.Out("dPos", patches + 1, d),
                    b.In(s * (kept + 1), d),
                    index
                );
            cases[$"TokensRestore {s} {kept}/{patches} {d}"] = b =>
                Tokens.Restore(
                    b.Device,
                    b.Out("z", s * (patches + 1), d),
                    b.In(s * (kept + 1), d),
                    b.In(1, d),
                    b.In(patches + 1, d),
                    restore,
                    kept
                );
            cases[$"TokensRestoreBackward {s} {kept}/{patches} {d}"] = b =>
                Tokens.RestoreBackward(
                    b.Device,
                    b.Out("dy", s * (kept + 1), d),
                    b.Out("dMask", 1, d),
                    b.In(s * (patches + 1), d),
                    restore,
                    kept
                );
            cases[$"PatchLoss {s} {kept}/{patches} {d}"] = b =>
                PatchTarget.Loss(
                    b.Device,
                    b.Out("loss", s, patches),
                    b.Out("dPred", s * (patches + 1), d),
                    b.In(s * (patches + 1), d),
                    b.In(s * patches, d),
                    restore,
                    kept,
                    0.01f
                );
            cases[$"PoolForward {s} {patches} {d}"] = b =>
                Pooling.Forward(b.Device, b.Out("y", s, d), b.In(s * (patches + 1), d));
            cases[$"PoolBackward {s} {patches} {d}"] = b =>
                Pooling.Backward(b.Device, b.Out("dx", s * (patches + 1), d), b.In(s, d));
            bool[] flags = [.. Enumerable.Range(0, s).Select(i => i % 2 == 0)];
            cases[$"DropPath {s} {patches} {d}"] = b =>
                Elementwise.DropPath(
                    b.Device,
                    b.Out("y", s * patches, d),
                    b.In(s * patches, d),
                    b.In(s * patches, d),
                    flags,
                    0.7f
                );
            cases[$"DropPath backward {s} {patches} {d}"] = b =>
                Elementwise.DropPathBackward(
                    b.Device,
                    b.Out("dBranch", s * patches, d),
                    b.In(s * patches, d),
                    flags,
                    0.7f
                );
        }
        return cases;
    }

    public static TheoryData<string, string> All()
    {
        var data = new TheoryData<string, string>();
        foreach (var device in Cpu.All())
        foreach (string name in Cases.Keys)
            data.Add(device.Name, name);
        return data;
    }

    [Theory]
    [MemberData(nameof(All))]
    public void EqualsTheOracleBitForBit(string device, string name) =>
        Compare(Cpu.All().First(d => d.Name == device), name);

    public static TheoryData<string> Names() => [.. Cases.Keys];

    /// <summary>
    /// The kernels that are shipped, on the emulator: with everything checked (races, bounds, reads of what nobody
    /// wrote) in three orders of warps and blocks, then with every lane on its own. The largest cases run unchecked.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void TheKernelsEqualTheOracleBitForBit(string name)
    {
        if (name.Contains("large", StringComparison.Ordinal))
            Emulated(new EmulationOptions(), name);
        else
        {
            foreach (var order in Enum.GetValues<WarpOrder>())
                Emulated(new EmulationOptions(order, Checks: true), name);
            Emulated(new EmulationOptions(WarpOrder.Shuffled, SplitLanes: true), name);
        }
    }

    /// <summary>The same on a GPU, where there is one; LUT_TEST_DEVICE chooses another than the first.</summary>
    [Fact]
    public void OnARealDeviceTheKernelsEqualTheOracleToo()
    {
        var status = CudaProbe.Query();
        string why = status.Why.Length > 0 ? status.Why : "the CUDA driver shows no device";
        string? asked = Environment.GetEnvironmentVariable("LUT_TEST_DEVICE");
        Assert.False(status.Devices.Count == 0 && asked is not null, "LUT_TEST_DEVICE asks for a GPU: " + why);
        Assert.SkipWhen(status.Devices.Count == 0, why);
        int ordinal = int.Parse(asked ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        using var device = new CudaDevice(new NvidiaDriver(), ordinal, $"cuda:{ordinal}");
        var lines = new List<string>();
        var failed = new List<string>();
        // every case, whatever failed before it: a card is lent for a short time, and one answer of many is little
        foreach (string name in Cases.Keys)
        {
            string? failure = FailureOf(device, name);
            if (failure is not null)
                failed.Add(failure);
            lines.Add(failure is null ? $"equal   {name}" : $"DIFFERS {failure}");
        }
        // spilled registers are slow, not wrong
        foreach (var kernel in device.AllKernels())
        {
            int spilled = kernel.Attribute(FunctionAttribute.LocalSizeBytes);
            lines.Add(
                $"{(spilled == 0 ? "kernel " : "WARNING")} {kernel.Name}: {kernel.Attribute(FunctionAttribute.NumRegs)} registers, {spilled} bytes of local memory a thread"
            );
        }
        if (Environment.GetEnvironmentVariable("LUT_TEST_REPORT") is { Length: > 0 } report)
            File.WriteAllLines(report, lines);
        foreach (string line in lines)
            TestContext.Current.TestOutputHelper?.WriteLine(line);
        Assert.True(
            failed.Count == 0,
            $"{failed.Count} of {Cases.Count} cases differ on {device.Context.DeviceName}:\n{string.Join('\n', failed)}"
        );
        Assert.True(device.FmaFlops(null!, 0.1) > 0);
    }

    private static string? FailureOf(Device device, string name)
    {
        try
        {
            Compare(device, name);
            return null;
        }
        catch (Exception e) when (e is Xunit.Sdk.XunitException or CudaException or ShapeException)
        {
            return $"{name}: {e.Message.ReplaceLineEndings(" ")}";
        }
    }

    [Fact]
    public void EveryModuleLoadsAndTheLimitIsMeasured()
    {
        using var driver = new EmulatedDriver();
        using (var device = new CudaDevice(driver, 0, "cuda:emulated"))
        {
            Assert.InRange(
                device.AllKernels().Count(k => k.Attribute(FunctionAttribute.MaxThreadsPerBlock) is > 0 and <= 256),
                40,
                200
            );
            Assert.True(device.FmaFlops(null!, 0) > 1e6);
        }
        Assert.Equal(0, driver.LiveHandles);
    }

    private static void Emulated(EmulationOptions options, string name)
    {
        using var driver = new EmulatedDriver(options);
        using (var device = new CudaDevice(driver, 0, "cuda:emulated", separate: true))
            try
            {
                Compare(device, name);
            }
            catch (CudaException e)
            {
                Assert.Fail($"{options}: {e.Message}\n{driver.Fault?.Message}");
            }
        Assert.Equal(0, driver.LiveHandles);
    }

    private static void Compare(Device device, string name)
    {
        using Bench oracle = new(new OracleDevice());
        using Bench tested = new(device);
        Cases[name](oracle);
        Cases[name](tested);
        Assert.Equal(oracle.Outputs.Count, tested.Outputs.Count);
        for (int o = 0; o < oracle.Outputs.Count; o++)
        {
            var (output, expected) = oracle.Outputs[o];
            var actual = new float[expected.Count];
            device.Read(actual, tested.Outputs[o].Value);
            int differ = 0;
            string first = "";
            for (int i = 0; i < expected.Count; i++)
            {
                uint a = BitConverter.SingleToUInt32Bits(actual[i]);
                uint e = BitConverter.SingleToUInt32Bits(expected.Data[i]);
                if (a == e)
                    continue;
                if (differ++ == 0)
                    first =
                        $"[{i / expected.Cols}, {i % expected.Cols}]: {actual[i]:g9} (0x{a:x8}), oracle {expected.Data[i]:g9} (0x{e:x8}), {Math.Abs((long)a - e)} ulp";
            }
            Assert.True(
                differ == 0,
                $"{name} on {device.Name}: {output} {expected} differs in {differ} elements, first {first}"
            );
        }
    }

    [Fact]
    public void EveryOperationOfTheDeviceHasCases()
    {
        var operations = typeof(Device)
            .GetMethods(BindingFlags.Instance | BindingFlags.NonPublic)
            .Where(m => m.IsAbstract)
            .Select(m => m.Name);
        string[] missing = [.. operations.Where(o => !Cases.Keys.Any(c => c.Split(' ')[0] == o))];
        Assert.True(missing.Length == 0, "operations without a case in OpTests: " + string.Join(", ", missing));
    }

    [Fact]
    public void AShapeErrorNamesBothShapes()
    {
        using var b = new Bench(Cpu.Best());
        var e = Assert.Throws<ShapeException>(() =>
            LayerNorm.Forward(b.Device, b.In(3, 8), b.In(3, 2), b.In(4, 8), b.In(1, 8), b.In(1, 8), 1e-6f)
        );
        Assert.Contains("[3, 8]", e.Message);
        Assert.Contains("[4, 8]", e.Message);
    }

    /// <summary>A new operation of a device must be watched too, or a trace would not see it.</summary>
    [Fact]
    public void TheInstrumentKnowsEveryOperation() =>
        Assert.Equal(
            typeof(Device)
                .GetMethods(BindingFlags.Instance | BindingFlags.NonPublic)
                .Where(m => m.IsAbstract && !m.IsSpecialName)
                .Select(m => m.Name)
                .Order(StringComparer.Ordinal),
            InstrumentedDevice.Operations.Order(StringComparer.Ordinal)
        );
}
