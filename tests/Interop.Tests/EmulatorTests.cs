using System.Text.RegularExpressions;
using LutNative.Interop.Emulator;

namespace LutNative.Interop.Tests;

/// <summary>The emulated driver: its memory, streams and modules behave as a driver's.</summary>
public unsafe class EmulatorTests
{
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
        using var rig = new EmulatorRig(new EmulationOptions(order, split, Checks: true));
        float* y = rig.Poison(64);
        rig.Run(EmulatorRig.Kernel(body), 1, 64, y);
        int[] sums = [0, 1, 3, 6];
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (float)(sums[i & 3] + sums[(i ^ 1) & 3])), rig.Read(y, 64));
    }

    [Fact]
    public void EventsTellTheTimeBetweenThem()
    {
        using var rig = new EmulatorRig(new EmulationOptions());
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
        using var rig = new EmulatorRig(new EmulationOptions());
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
        using var rig = new EmulatorRig(new EmulationOptions());
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
        string ptx = Regex.Replace(EmulatorRig.Kernel(body + ";"), @"\bret;\s+\}\s*$", "}");
        Assert.Contains(what, Assert.Throws<PtxException>(() => PtxParser.Parse("k", ptx)).Message);
    }

    [Fact]
    public void AWrongNumberOfArgumentsIsRefusedBeforeTheLaunch()
    {
        using var rig = new EmulatorRig(new EmulationOptions());
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
        using var rig = new EmulatorRig(new EmulationOptions());
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
        using var rig = new EmulatorRig(new EmulationOptions());
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
