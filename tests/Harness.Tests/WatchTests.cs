using System.Runtime.InteropServices;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Tests.Cli;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>
/// A library that changes a worker's floating-point control in the middle of a run, as decoders have done: here the
/// images' source does it. The run ends with exit 5 and the step, and no step that it touched is recorded.
/// </summary>
public sealed unsafe class WatchTests(HelloRuns hello) : IDisposable
{
    // <fenv.h> of glibc and musl on x86-64; bits of MXCSR
    private const int Down = 0x400;
    private const int Up = 0x800;
    private const int ToZero = 0xc00;
    private const uint FlushToZero = 1u << 15;
    private const uint DenormalsAreZero = 1u << 6;
    private const int EnvironmentBytes = 32;
    private const int Mxcsr = 28;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [DllImport("libm.so.6", EntryPoint = "fegetenv")]
    private static extern int GetEnvironment(byte* environment);

    [DllImport("libm.so.6", EntryPoint = "fesetenv")]
    private static extern int SetEnvironment(byte* environment);

    public static TheoryData<string, uint> Changes { get; } =
        new()
        {
            { "rounds down", Down << 3 },
            { "rounds up", Up << 3 },
            { "rounds down or to zero", ToZero << 3 },
            { "results are flushed", FlushToZero },
            { "operands are taken for zero", DenormalsAreZero },
        };

    private static void Change(uint bits)
    {
        byte* environment = stackalloc byte[EnvironmentBytes];
        Assert.Equal(0, GetEnvironment(environment));
        *(uint*)(environment + Mxcsr) |= bits;
        Assert.Equal(0, SetEnvironment(environment));
    }

    private static void Restore(uint bits)
    {
        byte* environment = stackalloc byte[EnvironmentBytes];
        Assert.Equal(0, GetEnvironment(environment));
        *(uint*)(environment + Mxcsr) &= ~bits;
        Assert.Equal(0, SetEnvironment(environment));
    }

    private static void NeedX64Linux()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Skip("sets MXCSR through glibc's fenv_t of x86-64");
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void EveryOtherModeIsNamed(string what, uint bits)
    {
        NeedX64Linux();
        string? before = null;
        string? during = null;
        string? after = null;
        var thread = new Thread(() =>
        {
            before = SelfTest.Drift();
            Change(bits);
            during = SelfTest.Drift();
            Restore(bits);
            after = SelfTest.Drift();
        });
        thread.Start();
        thread.Join();
        Assert.Null(before);
        Assert.Contains(what.Split(' ')[^1], during);
        Assert.Null(after);
    }

    /// <summary>
    /// Fashion-MNIST, read by a decoder that spoils one worker's control register from some read on, for a while.
    /// </summary>
    private sealed class Spoiling(ImageSource images, uint bits, int from, int reads, bool dataWorkers) : ImageSource
    {
        private int read;
        private int spoiled;

        public override int[] Labels => images.Labels;
        public override string Sha256 => images.Sha256;

        public override Picture Read(int i)
        {
            int n = Interlocked.Increment(ref read);
            int me = Environment.CurrentManagedThreadId;
            bool asked = !dataWorkers || Thread.CurrentThread.Name == "lut data 0";
            // whichever thread comes: under load one alone may read every image
            if (asked && n >= from && Interlocked.CompareExchange(ref spoiled, me, 0) == 0)
                Change(bits);
            else if (n >= from + reads && spoiled == me)
                Restore(bits);
            return images.Read(i);
        }
    }

    [Theory]
    [InlineData(Down << 3, false)]
    [InlineData(Up << 3, false)]
    [InlineData(ToZero << 3, true)]
    [InlineData(FlushToZero, false)]
    [InlineData(DenormalsAreZero, true)]
    public void ASpoiledWorkerEndsTheRunBeforeItsStepIsRecorded(uint bits, bool dataWorkers)
    {
        NeedX64Linux();
        var p = ProtocolReader.Load("hello@1", []);
        var (images, _) = DataSets.Load(p.Spec.Data, null);
        int perStep = p.Spec.Pretrain.Batch;
        var exec = new ExecOptions(2, 0, dataWorkers ? 1 : 0, TimeSpan.Zero);
        var on = Cpu.Best();
        var store = RunStore.Create(folder.Path);
        var recorder = new Recorder(store, "watched", new Dictionary<string, string> { ["lut.run_id"] = "watched" });
        using var pool = new Pool(2);
        UnfitMachineException e;
        using (
            var t = new PretrainTrainer(
                p.Spec,
                new Views(p.Spec, new Spoiling(images, bits, 3 * perStep + 5, 2 * perStep, dataWorkers)),
                on,
                pool,
                exec
            )
        )
            try
            {
                e = Assert.Throws<UnfitMachineException>(() =>
                    new TrainingLoop(
                        recorder,
                        CheckpointStore.Of(store),
                        pool,
                        exec,
                        new Progress(quiet: true),
                        default
                    ).Run(t, from: 0)
                );
            }
            finally
            {
                Restore(bits); // this thread is the pool's first
            }
        Assert.Matches(@"^step \d+ of pretrain, thread (lut (worker|data) \d|.*)$", e.Where);
        long step = long.Parse(e.Where.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(step, 1, p.Spec.Pretrain.Epochs * (long)(images.Count / perStep) - 1);
        recorder.Commit();
        var steps = store.Read(Schema.Steps);
        Assert.Equal(step, steps.Rows.Count);
        var right = new RunStore(hello.Of("pretrain")).Read(Schema.Steps);
        for (int s = 0; s < step; s++)
            Assert.Equal(right.Rows[s].StateDigest, steps.Rows[s].StateDigest);
        var refused = Commands.Refusals.Of(e);
        Assert.Equal((Exit.Unfit, "LUT5001"), (refused.Exit, refused.Id));
        Assert.Contains($"where: step {step} of pretrain", refused.Message);
    }
}
