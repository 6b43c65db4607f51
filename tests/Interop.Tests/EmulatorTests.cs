using System.Text.RegularExpressions;
using LutNative.Interop.Emulator;

namespace LutNative.Interop.Tests;

/// <summary>Tests of the tester: what a GPU would do silently wrong, the emulator must find and name.</summary>
public unsafe class EmulatorTests
{
    private static readonly EmulationOptions Checked = new(Checks: true);

    /// <summary>
    /// A device that drops its work still gives addresses, keeps count of memory, and reads back zeros.
    /// </summary>
    [Fact]
    public void WithoutExecutionADeviceHasAnyAmountOfMemory()
    {
        using var driver = new EmulatedDriver(new EmulationOptions(Multiprocessors: 132, Execute: false), 141L << 30);
        using (var context = new PrimaryContext(driver, 0))
        {
            Assert.Equal(132, context.Attribute(DeviceAttribute.MultiprocessorCount));
            CudaDeviceMemory a = context.Allocate(100L << 30);
            CudaDeviceMemory b = context.Allocate(40L << 30);
            Assert.True((ulong)b.Pointer >= (ulong)a.Pointer + (100UL << 30));
            Assert.Equal(CudaResult.OutOfMemory, Assert.Throws<CudaException>(() => context.Allocate(2L << 30)).Code);
            var host = context.AllocateHost(64);
            using var queue = context.CreateQueue();
            queue.CopyToHost(host.Pointer, a.Pointer, 64);
            queue.Synchronize();
            Assert.Equal(new byte[64], new ReadOnlySpan<byte>(host.Pointer, 64).ToArray());
        }
        Assert.Equal(0, driver.LiveHandles);
    }

    [Fact]
    public void AGpusNameForNvmlIsItsUuidInGroups() =>
        Assert.Equal(
            "GPU-00112233-4455-6677-8899-aabbccddeeff",
            Nvml.NameOf([
                0x00,
                0x11,
                0x22,
                0x33,
                0x44,
                0x55,
                0x66,
                0x77,
                0x88,
                0x99,
                0xaa,
                0xbb,
                0xcc,
                0xdd,
                0xee,
                0xff,
            ])
        );

    /// <summary>The heuristic's and the product's answers for 2 x 2 matrices at one address.</summary>
    /// <param name="promised">The alignment that the heuristic is told; 0 for none.</param>
    private static unsafe (int Heuristic, int Product) Ask(
        EmulatedCublasLt library,
        ulong address,
        uint promised,
        bool bias
    )
    {
        library.Create(out nint handle);
        library.MatmulDescCreate(out nint desc, CublasCompute.Float32, CudaDataType.Float32);
        int epilogue = 4;
        if (bias)
            library.MatmulDescSetAttribute(desc, MatmulDescAttribute.Epilogue, &epilogue, sizeof(int));
        library.MatrixLayoutCreate(out nint operand, CudaDataType.BFloat16, 2, 2, 2);
        library.MatrixLayoutCreate(out nint result, CudaDataType.Float32, 2, 2, 2);
        library.MatmulPreferenceCreate(out nint preference);
        foreach (
            var which in promised == 0
                ? []
                : new[]
                {
                    MatmulPreferenceAttribute.MinAlignmentA,
                    MatmulPreferenceAttribute.MinAlignmentB,
                    MatmulPreferenceAttribute.MinAlignmentC,
                    MatmulPreferenceAttribute.MinAlignmentD,
                }
        )
            Assert.Equal(0, library.MatmulPreferenceSetAttribute(preference, which, &promised, sizeof(uint)));
        var algo = new MatmulHeuristic();
        int asked = library.MatmulAlgoGetHeuristic(
            handle,
            desc,
            operand,
            operand,
            result,
            result,
            preference,
            1,
            &algo,
            out _
        );
        float one = 1;
        float zero = 0;
        int multiplied =
            asked != 0
                ? 0
                : library.Matmul(
                    handle,
                    desc,
                    &one,
                    address,
                    operand,
                    address,
                    operand,
                    &zero,
                    address,
                    result,
                    address,
                    result,
                    &algo,
                    0,
                    0,
                    0
                );
        library.MatmulPreferenceDestroy(preference);
        library.MatrixLayoutDestroy(operand);
        library.MatrixLayoutDestroy(result);
        library.MatmulDescDestroy(desc);
        library.Destroy(handle);
        return (asked, multiplied);
    }

    /// <summary>
    /// What cuBLASLt refuses, its twin refuses: attributes of a wrong size, layouts that do not fit; and the error says
    /// for which product.
    /// </summary>
    [Fact]
    public void ALibrarysRefusalNamesTheProduct()
    {
        using var driver = new EmulatedDriver();
        using (var context = new PrimaryContext(driver, 0))
        {
            var blas = new CudaBlasLt(context, new EmulatedCublasLt(driver));
            var e = Assert.Throws<CudaLibraryException>(() =>
                blas.Matmul(
                    new MatmulShape(
                        CudaDataType.BFloat16,
                        false,
                        false,
                        8,
                        4,
                        16,
                        Lda: 4,
                        Ldb: 16,
                        Ldc: 8,
                        1,
                        0,
                        0,
                        0,
                        false,
                        false
                    ),
                    0,
                    0,
                    0,
                    0,
                    0
                )
            );
            Assert.Contains("cublasLtMatrixLayoutCreate failed with INVALID_VALUE (7)", e.Message);
            Assert.Contains("Lda = 4", e.Message);
            int wrong = 1;
            var library = new EmulatedCublasLt(driver);
            Assert.Equal(0, library.MatmulDescCreate(out nint desc, CublasCompute.Float32, CudaDataType.Float32));
            Assert.NotEqual(0, library.MatmulDescSetAttribute(desc, MatmulDescAttribute.TransA, &wrong, 1));
            Assert.Equal(0, library.MatmulDescDestroy(desc));
            // an algorithm that was asked for without the operands' alignments was chosen for 256 bytes; one with a
            // bias needs its vector
            using var words = context.Allocate(4096);
            Assert.Equal((0, 15), Ask(library, (ulong)words.Pointer + 64, promised: 0, bias: false));
            Assert.Equal((0, 0), Ask(library, (ulong)words.Pointer + 64, promised: 64, bias: false));
            Assert.Equal((0, 15), Ask(library, (ulong)words.Pointer + 64, promised: 128, bias: false));
            Assert.Equal((7, 0), Ask(library, (ulong)words.Pointer, promised: 64, bias: true));
        }
        driver.Dispose();
    }

    /// <summary>
    /// A driver with one module and buffers of floats; everything is freed at the end and nothing may be left.
    /// </summary>
    private sealed class Rig : IDisposable
    {
        public readonly EmulatedDriver Driver;
        public readonly PrimaryContext Context;
        public readonly CudaQueue Queue;

        public Rig(EmulationOptions options)
        {
            Driver = new EmulatedDriver(options, 64 << 20);
            Context = new PrimaryContext(Driver, 0);
            Queue = Context.CreateQueue();
        }

        public float* Floats(params float[] values)
        {
            var memory = Context.Allocate(values.Length * 4);
            fixed (float* p = values)
                Queue.CopyToDevice(memory.Pointer, p, memory.Bytes);
            Queue.Synchronize();
            return (float*)memory.Pointer;
        }

        public float* Poison(int n) => (float*)Context.Allocate(4 * n).Pointer;

        public void Run(string ptx, int blocks, int threads, params ReadOnlySpan<Argument> arguments) =>
            Queue.Launch(Context.Load("k", ptx).Kernels["k"], (blocks, 1, 1), threads, arguments);

        public float[] Read(float* p, int n)
        {
            var values = new float[n];
            fixed (float* v = values)
            {
                Queue.CopyToHost(v, p, 4 * n);
                Queue.Synchronize();
            }
            return values;
        }

        public PtxFault Fails(CudaResult code)
        {
            Assert.Equal(code, Assert.Throws<CudaException>(Queue.Synchronize).Code);
            return Assert.IsType<PtxFault>(Driver.Fault);
        }

        public void Dispose()
        {
            Context.Dispose();
            Assert.Equal(0, Driver.LiveHandles);
            Driver.Dispose();
        }
    }

    private static string Kernel(string body, string parameters = ".param .u64 k_param_0", string shared = "") =>
        $$"""
            .version 7.0
            .target sm_80
            .address_size 64
            .visible .entry k({{parameters}})
            .maxntid 64, 1, 1
            {
                .reg .pred %p<5>;
                .reg .b32 %r<10>;
                .reg .f32 %f<10>;
                .reg .b64 %rd<10>;
                {{shared}}
                ld.param.u64 %rd1, [k_param_0];
                cvta.to.global.u64 %rd2, %rd1;
                mov.u32 %r1, %tid.x;
                mul.wide.u32 %rd3, %r1, 4;
                add.s64 %rd4, %rd2, %rd3;
                {{body}}
                ret;
            }
            """;

    private static string Line(string ptx, PtxFault fault) => ptx.Split('\n')[fault.Line - 1];

    [Fact]
    public void AWrongBoundIsFoundWithItsLine()
    {
        using var rig = new Rig(Checked);
        var add = rig.Context.Load("elementwise", NativeTests.Read("elementwise.ptx")).Kernels["add"];
        float* x = rig.Floats(new float[10]);
        float* y = rig.Poison(10);
        rig.Queue.Launch(add, (1, 1, 1), 256, y, x, x, 11L);
        var fault = rig.Fails(CudaResult.IllegalAddress);
        Assert.Contains("outside every allocation", fault.Message);
        Assert.Contains("add", fault.Message);
        Assert.Contains("ld.global", Line(NativeTests.Read("elementwise.ptx"), fault));
    }

    [Theory]
    [InlineData("gemm.ptx", "gemm_nt_64x64")]
    [InlineData("sums.ptx", "tree_sum")]
    public void ARemovedBarrierIsARace(string module, string kernel)
    {
        string ptx = NativeTests.Read(module);
        int body = ptx.IndexOf($".entry {kernel}(", StringComparison.Ordinal);
        int bar = ptx.IndexOf("bar.sync", body, StringComparison.Ordinal);
        string broken = ptx[..bar] + "//" + ptx[bar..];
        Product product = default; // struct Product of gemm.cu: 7 pointers, 6 longs, 9 ints, scale
        foreach (var (text, fails) in new[] { (ptx, false), (broken, true) })
        {
            using var rig = new Rig(Checked);
            var k = rig.Context.Load(module, text).Kernels[kernel];
            float* values = rig.Floats([.. Enumerable.Range(0, 64 * 64).Select(i => (float)i)]);
            float* result = rig.Poison(64 * 64);
            if (kernel == "tree_sum")
                rig.Queue.Launch(k, (1, 1, 1), 256, result, values, 1000);
            else
            {
                ulong* pointers = (ulong*)&product;
                int* numbers = (int*)(pointers + 13);
                pointers[0] = (ulong)result;
                pointers[1] = pointers[2] = (ulong)values;
                for (int i = 0; i < 7; i++)
                    numbers[i] = i < 6 ? 64 : 1;
                ((float*)numbers)[9] = 1f;
                rig.Queue.Launch(k, (1, 1, 1), 128, Argument.Struct(&product));
            }
            if (!fails)
                rig.Queue.Synchronize();
            else
                Assert.Contains("race", rig.Fails(CudaResult.LaunchFailed).Message);
        }
    }

    private struct Product
    {
        public fixed byte Bytes[144];
    }

    [Fact]
    public void AReadOfWhatNobodyWroteIsFound()
    {
        string ptx = Kernel("ld.global.f32 %f1, [%rd4]; st.global.f32 [%rd4], %f1;");
        using var rig = new Rig(Checked);
        rig.Run(ptx, 1, 32, rig.Poison(32));
        var fault = rig.Fails(CudaResult.LaunchFailed);
        Assert.Contains("nobody has written", fault.Message);
        Assert.Contains("ld.global.f32", Line(ptx, fault));
    }

    [Fact]
    public void AMisalignedAddressIsFound()
    {
        using var rig = new Rig(new EmulationOptions());
        rig.Run(Kernel("ld.global.v2.f32 {%f1, %f2}, [%rd4];"), 1, 32, rig.Floats(new float[64]));
        Assert.Contains("not a multiple of 8", rig.Fails(CudaResult.MisalignedAddress).Message);
    }

    [Fact]
    public void SharedMemoryBeyondTheBlocksIsFound()
    {
        using var rig = new Rig(new EmulationOptions());
        rig.Run(
            Kernel(
                "mov.u64 %rd5, s; add.s64 %rd6, %rd5, %rd3; mov.u32 %r2, 1; st.shared.u32 [%rd6], %r2;",
                shared: ".shared .align 4 .b8 s[100];"
            ),
            1,
            32,
            rig.Floats(1f)
        );
        Assert.Contains("the block has 100 bytes", rig.Fails(CudaResult.LaunchFailed).Message);
    }

    [Fact]
    public void ABarrierThatSomeThreadsNeverReachIsFound()
    {
        using var rig = new Rig(new EmulationOptions());
        rig.Run(Kernel("setp.lt.s32 %p1, %r1, 32; @%p1 bra $end; bar.sync 0;\n$end:"), 1, 64, rig.Floats(1f));
        Assert.Contains("some warps of the block never reach", rig.Fails(CudaResult.LaunchFailed).Message);
    }

    [Fact]
    public void AShuffleThatSomeLanesNeverReachIsFound()
    {
        using var rig = new Rig(new EmulationOptions());
        rig.Run(
            Kernel("setp.lt.s32 %p1, %r1, 16; @%p1 bra $end; shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1;\n$end:"),
            1,
            32,
            rig.Floats(1f)
        );
        rig.Fails(CudaResult.LaunchFailed);
    }

    [Fact]
    public void TwoBlocksThatWriteOneWordAreARace()
    {
        using var rig = new Rig(Checked);
        rig.Run(Kernel("mov.u32 %r2, 1; st.global.u32 [%rd4], %r2;"), 2, 32, rig.Floats(new float[64]));
        Assert.Contains("block 0 of this launch wrote it", rig.Fails(CudaResult.LaunchFailed).Message);
    }

    /// <summary>Lanes take different ways and meet again; odd lanes go round a loop.</summary>
    [Theory]
    [InlineData(WarpOrder.Ascending, false)]
    [InlineData(WarpOrder.Descending, false)]
    [InlineData(WarpOrder.Shuffled, true)]
    public void BranchesComeTogetherAgain(WarpOrder order, bool split)
    {
        const string body = """
            and.b32 %r2, %r1, 3;
            mov.u32 %r3, 0;
            setp.eq.s32 %p1, %r2, 0;
            @%p1 bra $done;
            $loop:
            add.s32 %r3, %r3, %r2;
            add.s32 %r2, %r2, -1;
            setp.ne.s32 %p2, %r2, 0;
            @%p2 bra $loop;
            $done:
            shfl.sync.bfly.b32 %r4, %r3, 1, 31, -1;
            add.s32 %r5, %r3, %r4;
            cvt.rn.f32.s32 %f1, %r5;
            st.global.f32 [%rd4], %f1;
            """;
        using var rig = new Rig(new EmulationOptions(order, split, Checks: true));
        float* y = rig.Poison(64);
        rig.Run(Kernel(body), 1, 64, y);
        int[] sums = [0, 1, 3, 6];
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (float)(sums[i & 3] + sums[(i ^ 1) & 3])), rig.Read(y, 64));
    }

    [Fact]
    public void EventsTellTheTimeBetweenThem()
    {
        using var rig = new Rig(new EmulationOptions());
        Assert.Equal(0, rig.Driver.EventCreate(out nint a, 0) + rig.Driver.EventCreate(out nint b, 0));
        Assert.Equal((int)CudaResult.NotReady, rig.Driver.EventElapsedTime(out _, a, b));
        Assert.Equal(0, rig.Driver.EventRecord(a, 0) + rig.Driver.EventRecord(b, 0) + rig.Driver.EventSynchronize(b));
        Assert.Equal(0, rig.Driver.EventElapsedTime(out float milliseconds, a, b));
        Assert.True(milliseconds >= 0);
        Assert.Equal(0, rig.Driver.EventDestroy(a) + rig.Driver.EventDestroy(b));
        Assert.Equal((int)CudaResult.InvalidHandle, rig.Driver.EventDestroy(b));
    }

    [Fact]
    public void WorkWaitsUntilSomebodyWaitsForIt()
    {
        using var rig = new Rig(new EmulationOptions());
        float* x = rig.Floats(1f, 2f);
        var value = new float[2];
        fixed (float* v = value)
        {
            rig.Queue.CopyToHost(v, x, 8);
            Assert.Equal([0f, 0f], value);
            rig.Queue.Synchronize();
        }
        Assert.Equal([1f, 2f], value);
    }

    /// <summary>
    /// A step that asks for the same each time becomes a graph; one that asks for something else runs as it was asked.
    /// </summary>
    [Fact]
    public void AStepThatRepeatsIsOneLaunch()
    {
        using var rig = new Rig(new EmulationOptions());
        var scale = rig.Context.Load("elementwise", NativeTests.Read("elementwise.ptx")).Kernels["scale"];
        float* x = rig.Floats(1f, 2f);
        void Step(float by)
        {
            rig.Queue.BeginStep("s");
            rig.Queue.Launch(scale, (1, 1, 1), 256, x, x, 2L, by);
            rig.Queue.EndStep();
        }
        for (int i = 0; i < 4; i++)
            Step(2f);
        Assert.Equal((2L, 16f), (rig.Queue.Replays, rig.Read(x, 2)[0]));
        Step(0.5f);
        Assert.Equal((2L, 8f), (rig.Queue.Replays, rig.Read(x, 2)[0]));
        for (int i = 0; i < 3; i++)
            Step(0.5f);
        Assert.Equal((4L, 1f), (rig.Queue.Replays, rig.Read(x, 2)[0]));
    }

    [Theory]
    [InlineData("mov.u32 %r2, %r1", "the kernel can run past its end")]
    [InlineData("bra $nowhere; ret", "no label $nowhere")]
    [InlineData("add.s32 %r2, %r77x, 1; ret", "'%r77x' is not supported")]
    [InlineData("add.s32 %r2, %r1; ret", "too few operands")]
    [InlineData("tex.1d.v4.s32.s32 {%r1,%r2,%r3,%r4}, [t, {%r1}]; ret", "is not on the list")]
    public void BadTextIsRefused(string body, string what)
    {
        string ptx = Regex.Replace(Kernel(body + ";"), @"\bret;\s+\}\s*$", "}");
        Assert.Contains(what, Assert.Throws<PtxException>(() => PtxParser.Parse("k", ptx)).Message);
    }

    [Fact]
    public void AWrongNumberOfArgumentsIsRefusedBeforeTheLaunch()
    {
        using var rig = new Rig(new EmulationOptions());
        var add = rig.Context.Load("elementwise", NativeTests.Read("elementwise.ptx")).Kernels["add"];
        Assert.Contains(
            "takes 4 arguments",
            Assert.Throws<ArgumentException>(() => rig.Queue.Launch(add, (1, 1, 1), 32, 1L)).Message
        );
        Assert.Contains(
            "has 4 bytes",
            Assert.Throws<ArgumentException>(() => rig.Queue.Launch(add, (1, 1, 1), 32, 1L, 1L, 1L, 1)).Message
        );
    }

    [Fact]
    public void NothingIsLeftWhenTheDeviceIsLost()
    {
        using var rig = new Rig(new EmulationOptions());
        rig.Floats(1f);
        rig.Context.AllocateHost(100);
        rig.Driver.Fail(CudaResult.EccUncorrectable);
        var e = Assert.Throws<CudaException>(() => rig.Context.Allocate(100));
        Assert.True(e.Lost);
        Assert.Contains("checkpoint", e.Message);
    }

    [Fact]
    public void TooLittleMemorySaysHowMuchThereIs()
    {
        using var rig = new Rig(new EmulationOptions());
        var e = Assert.Throws<CudaException>(() => rig.Context.Allocate(1L << 40));
        Assert.Equal(CudaResult.OutOfMemory, e.Code);
        Assert.Contains("free", e.Message);
        Assert.Contains("--micro-batch", e.Message);
    }

    [Fact]
    public void ADeviceThatIsNotThereIsNamed()
    {
        using var driver = new EmulatedDriver();
        Assert.Contains(
            "index 3 of 1 device(s)",
            Assert.Throws<CudaException>(() => new PrimaryContext(driver, 3)).Message
        );
        Assert.Equal(0, driver.LiveHandles);
    }
}
