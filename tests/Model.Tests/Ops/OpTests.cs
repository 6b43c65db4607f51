using LutNative.Interop;
using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Tests.Ops;

/// <summary>
/// Every operation, at every vector width, equals its oracle bit for bit. A case builds its tensors, runs on a device
/// and lists its outputs; the same case runs on all devices. To add an operation: add its cases to the file of its
/// family; the inventory test names what is missing.
/// </summary>
public unsafe class OpTests
{
    internal static readonly Dictionary<string, Action<OpBench>> Cases = Build();

    private static Dictionary<string, Action<OpBench>> Build()
    {
        var cases = new Dictionary<string, Action<OpBench>>();
        GemmCases.AddTo(cases);
        NormCases.AddTo(cases);
        AttentionCases.AddTo(cases);
        TokenCases.AddTo(cases);
        ElementwiseCases.AddTo(cases);
        LossCases.AddTo(cases);
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
                $"{(spilled == 0 ? "kernel " : "WARNING")} {kernel.Name}: "
                    + $"{kernel.Attribute(FunctionAttribute.NumRegs)} registers, {spilled} bytes of local memory "
                    + "a thread"
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
        using OpBench oracle = new(new OracleDevice());
        using OpBench tested = new(device);
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
                        $"[{i / expected.Cols}, {i % expected.Cols}]: {actual[i]:g9} (0x{a:x8}), oracle "
                        + $"{expected.Data[i]:g9} (0x{e:x8}), {Math.Abs((long)a - e)} ulp";
            }
            Assert.True(
                differ == 0,
                $"{name} on {device.Name}: {output} {expected} differs in {differ} elements, first {first}"
            );
        }
    }

    [Fact]
    public void AShapeErrorNamesBothShapes()
    {
        using var b = new OpBench(Cpu.Best());
        var e = Assert.Throws<ShapeException>(() =>
            LayerNorm.Forward(b.Device, b.In(3, 8), b.In(3, 2), b.In(4, 8), b.In(1, 8), b.In(1, 8), 1e-6f)
        );
        Assert.Contains("[3, 8]", e.Message);
        Assert.Contains("[4, 8]", e.Message);
    }
}
