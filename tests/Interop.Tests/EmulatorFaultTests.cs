using LutNative.Interop.Emulator;

namespace LutNative.Interop.Tests;

/// <summary>Tests of the tester: what a GPU would do silently wrong, the emulator must find and name.</summary>
public unsafe class EmulatorFaultTests
{
    private static readonly EmulationOptions Checked = new(Checks: true);

    private static string Line(string ptx, PtxFault fault) => ptx.Split('\n')[fault.Line - 1];

    [Fact]
    public void AWrongBoundIsFoundWithItsLine()
    {
        using var rig = new EmulatorRig(Checked);
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
            using var rig = new EmulatorRig(Checked);
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
        string ptx = EmulatorRig.Kernel("ld.global.f32 %f1, [%rd4]; st.global.f32 [%rd4], %f1;");
        using var rig = new EmulatorRig(Checked);
        rig.Run(ptx, 1, 32, rig.Poison(32));
        var fault = rig.Fails(CudaResult.LaunchFailed);
        Assert.Contains("nobody has written", fault.Message);
        Assert.Contains("ld.global.f32", Line(ptx, fault));
    }

    [Fact]
    public void AMisalignedAddressIsFound()
    {
        using var rig = new EmulatorRig(new EmulationOptions());
        rig.Run(EmulatorRig.Kernel("ld.global.v2.f32 {%f1, %f2}, [%rd4];"), 1, 32, rig.Floats(new float[64]));
        Assert.Contains("not a multiple of 8", rig.Fails(CudaResult.MisalignedAddress).Message);
    }

    [Fact]
    public void SharedMemoryBeyondTheBlocksIsFound()
    {
        using var rig = new EmulatorRig(new EmulationOptions());
        rig.Run(
            EmulatorRig.Kernel(
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
        using var rig = new EmulatorRig(new EmulationOptions());
        rig.Run(
            EmulatorRig.Kernel("setp.lt.s32 %p1, %r1, 32; @%p1 bra $end; bar.sync 0;\n$end:"),
            1,
            64,
            rig.Floats(1f)
        );
        Assert.Contains("some warps of the block never reach", rig.Fails(CudaResult.LaunchFailed).Message);
    }

    [Fact]
    public void AShuffleThatSomeLanesNeverReachIsFound()
    {
        using var rig = new EmulatorRig(new EmulationOptions());
        rig.Run(
            EmulatorRig.Kernel(
                "setp.lt.s32 %p1, %r1, 16; @%p1 bra $end; shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1;\n$end:"
            ),
            1,
            32,
            rig.Floats(1f)
        );
        rig.Fails(CudaResult.LaunchFailed);
    }

    [Fact]
    public void TwoBlocksThatWriteOneWordAreARace()
    {
        using var rig = new EmulatorRig(Checked);
        rig.Run(EmulatorRig.Kernel("mov.u32 %r2, 1; st.global.u32 [%rd4], %r2;"), 2, 32, rig.Floats(new float[64]));
        Assert.Contains("block 0 of this launch wrote it", rig.Fails(CudaResult.LaunchFailed).Message);
    }
}
