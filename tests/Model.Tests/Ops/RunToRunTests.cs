using LutNative.Interop;
using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Tests.Ops;

/// <summary>
/// --math run-to-run against the oracle. Products of small integers are exact in any order, so layouts, strides,
/// batches and epilogues are held to the bit; for other values the bound is bfloat16's: 8 bits of mantissa in every
/// operand, so a few parts in a hundred of a row's largest value. Kernels run with every check on the emulator, and on
/// a GPU too where there is one with cuBLASLt and cuDNN.
/// </summary>
public unsafe class RunToRunTests
{
    private static void OnBoth(
        CudaDataType type,
        bool checks,
        Action<Device, Func<string, int, int, float, Mat>, Action<string, Mat>> run,
        Action<string, float[], float[]> compare
    )
    {
        Dictionary<string, float[]> Outputs(Device device)
        {
            using var arena = device.NewArena();
            var outputs = new List<(string Name, Mat Value)>();
            Mat In(string name, int rows, int cols, float scale)
            {
                var m = arena.Matrix(rows, cols);
                var values = new float[m.Count];
                var random = new Philox(11, Purpose.Test, (ulong)name.Sum(c => c), (uint)rows, (uint)cols);
                // a negative scale asks for small integers
                for (int i = 0; i < values.Length; i++)
                    values[i] = scale < 0 ? (int)random.NextBelow(7) - 3 : scale * (2 * random.NextFloat() - 1);
                device.Write(m, values);
                return m;
            }
            run(device, In, (name, m) => outputs.Add((name, m)));
            return outputs.ToDictionary(
                o => o.Name,
                o =>
                {
                    var values = new float[o.Value.Count];
                    device.Read(values, o.Value);
                    return values;
                }
            );
        }
        var expected = Outputs(new OracleDevice());
        if (Gpu(type) is { } gpu)
            using (gpu)
            {
                var actual = Outputs(gpu);
                foreach (var (name, e) in expected)
                    compare($"{name} on {gpu.Context.DeviceName}", e, actual[name]);
            }
        using var driver = new EmulatedDriver(new EmulationOptions(Checks: checks));
        using (
            var device = new RunToRunDevice(
                driver,
                new EmulatedCublasLt(driver),
                new EmulatedCudnn(driver),
                0,
                "cuda:emulated",
                type
            )
        )
        {
            Dictionary<string, float[]> actual;
            try
            {
                actual = Outputs(device);
            }
            catch (CudaException e)
            {
                throw new InvalidOperationException($"{e.Message}\n{driver.Fault?.Message}");
            }
            foreach (var (name, e) in expected)
                compare(name, e, actual[name]);
        }
        Assert.Equal(0, driver.LiveHandles);
    }

    private static RunToRunDevice? Gpu(CudaDataType type)
    {
        string? asked = Environment.GetEnvironmentVariable("LUT_TEST_DEVICE");
        var status = CudaProbe.Query();
        string why =
            status.Devices.Count == 0
                ? status.Why.Length > 0
                    ? status.Why
                    : "the CUDA driver shows no device"
                : "";
        foreach (string library in new[] { "cublasLt", "cudnn" })
            if (why.Length == 0 && !NativeLibraries.TryLoad(library, out _, out string missing))
                why = missing;
        // a check that was asked for must not pass on the emulator alone
        Assert.False(
            why.Length > 0 && asked is not null,
            "LUT_TEST_DEVICE asks for a GPU with cuBLASLt and cuDNN: " + why
        );
        if (why.Length > 0)
            return null;
        string ordinal = asked ?? "0";
        return new RunToRunDevice(
            new NvidiaDriver(),
            new NvidiaCublasLt(),
            new NvidiaCudnn(),
            int.Parse(ordinal, System.Globalization.CultureInfo.InvariantCulture),
            $"cuda:{ordinal}",
            type
        );
    }

    private static void Equal(string name, float[] expected, float[] actual) =>
        Assert.True(
            expected.AsSpan().SequenceEqual(actual),
            $"{name}: {expected.Zip(actual).Count(p => p.First != p.Second)} of {expected.Length} elements differ"
        );

    private static Action<string, float[], float[]> Within(double bound) =>
        (name, expected, actual) =>
        {
            double largest = expected.Max(x => (double)Math.Abs(x)) + 1e-30;
            double worst = expected.Zip(actual).Max(p => Math.Abs((double)p.First - p.Second));
            Assert.True(
                worst <= bound * largest,
                FormattableString.Invariant(
                    $"{name}: off by {worst / largest:e2} of the largest value, {bound} allowed"
                )
            );
        };

    private static Weight Plain(Mat w) => new(w, null, null);

    [Theory]
    [InlineData(CudaDataType.BFloat16, 1, 1, 1)]
    [InlineData(CudaDataType.BFloat16, 33, 20, 17)]
    [InlineData(CudaDataType.BFloat16, 70, 64, 128)]
    [InlineData(CudaDataType.Float32, 33, 20, 17)]
    public void ProductsOfIntegersAreExact(CudaDataType type, int m, int n, int k) =>
        OnBoth(
            type,
            true,
            (device, input, output) =>
            {
                Mat x = input("x", m, k, -1);
                Mat w = input("w", n, k, -1);
                Mat dy = input("dy", m, n, -1);
                Mat bias = input("bias", 1, n, -1);
                Mat residual = input("residual", m, n, -1);
                Mat y = input("y", m, n, -1);
                Mat yBias = input("yb", m, n, -1);
                Mat yResidual = input("yr", m, n, -1);
                Mat dx = input("dx", m, k, -1);
                Mat dw = input("dw", n, k, -1);
                Mat onward = input("on", n, k, -1);
                Gemm.Nt(device, y, x, Plain(w), Epilogue.None);
                Gemm.Nt(device, yBias, x, Plain(w), Epilogue.AddBias(bias));
                Gemm.Nt(device, yResidual, x, Plain(w), Epilogue.AddBiasResidual(bias, residual));
                Gemm.Nn(device, dx, dy, Plain(w), Epilogue.None);
                Gemm.Tn(device, dw, dy, x, accumulate: false);
                Gemm.Tn(device, onward, dy, x, accumulate: true);
                foreach (
                    var (name, mat) in new[]
                    {
                        ("y", y),
                        ("bias", yBias),
                        ("residual", yResidual),
                        ("dx", dx),
                        ("dw", dw),
                        ("continued", onward),
                    }
                )
                    output(name, mat);
            },
            Equal
        );

    [Fact]
    public void ManyLeavesAreAProductEach() =>
        OnBoth(
            CudaDataType.BFloat16,
            true,
            (device, input, output) =>
            {
                Mat dw = input("dw", 3 * 20, 16, -1);
                Gemm.Tn(device, dw, input("dy", 3 * 8, 20, -1), input("x", 3 * 8, 16, -1), accumulate: false);
                output("dw", dw);
            },
            Equal
        );

    [Fact]
    public void GeluIsTheExactOneAroundTheProduct() =>
        OnBoth(
            CudaDataType.BFloat16,
            true,
            (device, input, output) =>
            {
                Mat x = input("x", 20, 24, -1);
                Mat w = input("w", 12, 24, -1);
                Mat bias = input("bias", 1, 12, -1);
                Mat y = input("y", 20, 12, -1);
                Mat pre = input("pre", 20, 12, -1);
                Mat erf = input("erf", 20, 12, -1);
                Mat plain = input("plain", 20, 12, -1);
                Mat dx = input("dx", 20, 24, -1);
                Gemm.Nt(device, y, x, Plain(w), Epilogue.BiasGelu(bias, pre, erf));
                Gemm.Nt(device, plain, x, Plain(w), Epilogue.BiasGelu(bias, default, default));
                Gemm.Nn(device, dx, pre, Plain(w), Epilogue.GeluBackward(x, input("e", 20, 24, 1f)));
                foreach (
                    var (name, mat) in new[] { ("y", y), ("pre", pre), ("erf", erf), ("plain", plain), ("dx", dx) }
                )
                    output(name, mat);
            },
            (name, e, a) => Within(name.StartsWith("dx", StringComparison.Ordinal) ? 0.02 : 0)(name, e, a)
        ); // dx reads pre, which is no small integer

    [Theory]
    [InlineData(1, 1, 1, 16, true)]
    [InlineData(2, 17, 2, 16, true)]
    [InlineData(2, 17, 3, 8, true)]
    [InlineData(1, 33, 2, 20, true)]
    [InlineData(1, 20, 2, 48, true)]
    [InlineData(2, 50, 3, 64, true)]
    [InlineData(1, 64, 1, 32, true)]
    [InlineData(1, 65, 2, 32, true)]
    [InlineData(1, 197, 2, 64, false)]
    public void AttentionIsTheOraclesWithinBfloat16(int sequences, int n, int heads, int width, bool checks) =>
        OnBoth(
            CudaDataType.BFloat16,
            checks,
            (device, input, output) =>
            {
                int d = heads * width;
                int rows = sequences * n;
                float scale = 1f / MathF.Sqrt(width);
                Mat qkv = input("qkv", rows, 3 * d, 2f);
                Mat dOut = input("dOut", rows, d, 1f);
                Mat att = input("att", rows, d, 1f);
                Mat again = input("again", rows, d, 1f);
                Mat dQkv = input("dQkv", rows, 3 * d, 1f);
                Mat kept = input("kept", rows * heads, device.AttentionKept(n), 1f);
                Attention.Forward(device, att, kept, qkv, n, heads, scale);
                Attention.Forward(device, again, default, qkv, n, heads, scale);
                Attention.Backward(device, dQkv, dOut, kept, qkv, n, heads, scale);
                output("att", att);
                output("again", again);
                output("dQkv", dQkv);
            },
            Within(0.02)
        );

    [Fact]
    public void BatchNormIsTheOracles() =>
        OnBoth(
            CudaDataType.BFloat16,
            true,
            (device, input, output) =>
            {
                Mat x = input("x", 24, 10, 2f);
                Mat y = input("y", 24, 10, 1f);
                Mat stats = input("stats", 2, 10, 1f);
                Mat mean = input("mean", 1, 10, 1f);
                Mat variance = input("variance", 1, 10, 1f);
                Mat w = input("w", 1, 10, 1f);
                Mat b = input("b", 1, 10, 1f);
                Mat d = input("d", 24, 10, 1f);
                Mat dw = input("dw", 3, 10, 1f);
                Mat db = input("db", 3, 10, 1f);
                Mat dwAll = input("dwAll", 1, 10, 0f);
                Mat dbAll = input("dbAll", 1, 10, 0f);
                BatchNorm.Forward(device, y, stats, mean, variance, x, w, b, 8, 0.1f, 1e-5f);
                BatchNorm.Backward(device, d, dw, db, d, x, stats, w, 8); // in place, as the heads do
                Elementwise.ColumnSum(device, dwAll, dw);
                Elementwise.ColumnSum(device, dbAll, db);
                foreach (
                    var (name, mat) in new[]
                    {
                        ("y", y),
                        ("stats", stats),
                        ("mean", mean),
                        ("variance", variance),
                        ("dx", d),
                        ("dw", dwAll),
                        ("db", dbAll),
                    }
                )
                    output(name, mat);
            },
            Within(2e-6)
        );

    [Fact]
    public void AHeadOfAnotherWidthIsRefusedWithTheWayOut()
    {
        using var driver = new EmulatedDriver();
        using var device = new RunToRunDevice(
            driver,
            new EmulatedCublasLt(driver),
            new EmulatedCudnn(driver),
            0,
            "cuda:emulated"
        );
        using var arena = device.NewArena();
        var e = Assert.Throws<ShapeException>(() =>
            Attention.Forward(device, arena.Matrix(4, 12), default, arena.Matrix(4, 36), 4, 2, 1f)
        );
        Assert.Contains("--math exact", e.Message);
    }
}
