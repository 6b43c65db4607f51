using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Bench;

/// <summary>What to measure, as the command line says it; a fresh process gets the same words.</summary>
/// <param name="Slow">Share of a step's time to wait after it: a slowdown planted on purpose.</param>
internal sealed record BenchOrder(
    string Shape,
    string Stage,
    string Method = "",
    int Batch = 0,
    int Threads = 0,
    int MicroBatch = 0,
    int DataWorkers = 0,
    int Blocks = 3,
    double Seconds = 3.0,
    string Memory = "keep",
    string Device = "cpu",
    string Math = "exact",
    bool Premade = false,
    string? Data = null,
    double Slow = 0
)
{
    /// <summary>A GPU computes, or is emulated or planned.</summary>
    internal bool OnGpu =>
        Device.StartsWith("cuda", StringComparison.Ordinal)
        || Device.StartsWith(KernelTable.Planned, StringComparison.Ordinal);

    internal IEnumerable<string> Words()
    {
        string I(int v) => v.ToString(CultureInfo.InvariantCulture);
        string D(double v) => v.ToString("R", CultureInfo.InvariantCulture);
        string[] words =
        [
            "bench",
            Shape,
            "--stage",
            Stage,
            "--batch",
            I(Batch),
            "--threads",
            I(Threads),
            "--micro-batch",
            I(MicroBatch),
            "--data-workers",
            I(DataWorkers),
            "--blocks",
            I(Blocks),
            "--seconds",
            D(Seconds),
            "--memory",
            Memory,
            "--device",
            Device,
            "--math",
            Math,
            "--launches=0",
        ];
        return
        [
            .. words,
            .. Method.Length > 0 ? (string[])["--method", Method] : [],
            .. Premade ? (string[])["--premade"] : [],
            .. Data is not null ? (string[])["--data", Data] : [],
            .. Slow > 0 ? (string[])["--slow", D(Slow)] : [],
        ];
    }
}

/// <summary>Fresh processes that measure, one after another, and the rows that they give.</summary>
internal static class Launches
{
    /// <summary>This program, for <see cref="Fresh"/>.</summary>
    internal const string Self = "self";

    /// <summary>One launch in a fresh process.</summary>
    internal static Launch Fresh(BenchOrder order)
    {
        using var child = new Child(Self, order, turns: false);
        return child.Result();
    }

    /// <summary>
    /// One launch of each of two builds that take turns block by block (A B, B A, ...): whatever the machine does
    /// meanwhile it does to both. The other waits without using the processor. Results are pairs of blocks.
    /// </summary>
    /// <param name="other">self, or another build: its lut.dll or its executable.</param>
    internal static (Launch Mine, Launch Theirs) Pair(BenchOrder order, string other, BenchOrder theirs)
    {
        using var a = new Child(Self, order, turns: true);
        a.Await(); // warm, before the other begins to warm up
        using var b = new Child(other, theirs, turns: true);
        b.Await();
        for (int block = 0; block < order.Blocks; block++)
            foreach (var child in block % 2 == 0 ? new[] { a, b } : [b, a])
            {
                child.Go();
                child.Await();
            }
        a.Go();
        b.Go();
        return (a.Result(), b.Result());
    }

    /// <summary>What a child does before every block when it takes turns.</summary>
    internal static void MyTurn()
    {
        Console.Out.WriteLine(Child.Waiting);
        Console.Out.Flush();
        Console.In.ReadLine();
    }

    /// <summary>
    /// A process that measures. With turns it says a line when it waits for one: before every block, and before it
    /// gives its answer.
    /// </summary>
    private sealed class Child : IDisposable
    {
        internal const string Waiting = "waiting";
        private readonly Process process;
        private readonly string program;

        internal Child(string program, BenchOrder order, bool turns)
        {
            this.program = program;
            var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardInput = turns };
            bool own = program == Self;
            // `dotnet lut.dll ...` has the program as its first argument, a self-contained executable does not
            bool runtime = own
                ? Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet"
                : program.EndsWith(".dll", StringComparison.Ordinal);
            // absolute, so that nobody looks for it elsewhere
            string other = own ? "" : Path.GetFullPath(program);
            if (!own && !File.Exists(other))
                throw Failed("there is no such file: give the path of its lut.dll or its executable");
            string host =
                Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? Environment.ProcessPath! : "";
            start.FileName =
                own ? Environment.ProcessPath!
                : !runtime ? other
                : host.Length > 0 ? host
                : ExecutablePath.Find("dotnet");
            if (runtime)
                start.ArgumentList.Add(own ? Environment.GetCommandLineArgs()[0] : other);
            foreach (string word in order.Words())
                start.ArgumentList.Add(word);
            if (turns)
                start.ArgumentList.Add("--turns");
            try
            {
                process = Process.Start(start)!;
                Interruption.Adopt(process);
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                throw Failed(e.Message);
            }
        }

        internal void Go()
        {
            process.StandardInput.WriteLine("go");
            process.StandardInput.Flush();
        }

        internal void Await()
        {
            if (process.StandardOutput.ReadLine() != Waiting)
                throw Failed("it ended before its turn");
        }

        internal Launch Result()
        {
            string answer = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw Ended();
            try
            {
                return JsonSerializer.Deserialize<Launch>(answer)!;
            }
            catch (JsonException e)
            {
                throw Failed(e.Message);
            }
        }

        /// <summary>A launch that refused has said why under its own id; one that was killed has not.</summary>
        private Exception Ended() =>
            Enum.IsDefined((Exit)process.ExitCode)
                ? new ChildFailedException(
                    (Exit)process.ExitCode,
                    FormattableString.Invariant(
                        $"a launch of the benchmark ended with exit code {process.ExitCode}; its error is above"
                    )
                )
                : new LutError(
                    Exit.Unfit,
                    464,
                    "a launch of the benchmark died",
                    program,
                    FormattableString.Invariant($"it ended with code {process.ExitCode}; above 128 that is a signal"),
                    "look for what ended it (memory, a limit of time), and run it again"
                );

        private LutError Failed(string why) =>
            new(
                Exit.Usage,
                37,
                "a build cannot be measured",
                program,
                why,
                "name the lut.dll or the executable of a build that knows `bench --launches=0 --turns`"
            );

        public void Dispose()
        {
            if (!process.HasExited)
                process.Kill();
            Interruption.Release(process);
            process.Dispose();
        }
    }

    /// <summary>The launches' blocks as rows of the throughput table.</summary>
    /// <param name="id">Of the benchmark: the two sides of pairs share it.</param>
    internal static IReadOnlyList<ThroughputRow> Rows(
        BenchShape shape,
        string stage,
        Device device,
        int threads,
        IReadOnlyList<Launch> launches,
        string? id = null
    )
    {
        var p = shape.Protocol;
        var rows = new List<ThroughputRow>();
        id ??= Guid.CreateVersion7().ToString();
        string machine = device is CudaDevice cuda ? cuda.Context.DeviceName : Machine.CpuModel;
        string method = stage == StageId.Pretrain.Name ? p.Pretrain.Method : "";
        int batch = shape.Batch(stage);
        for (int l = 0; l < launches.Count; l++)
        for (int b = 0; b < launches[l].Blocks.Length; b++)
        {
            var block = launches[l].Blocks[b];
            var (peak, source) = PeakOf(device, block);
            rows.Add(
                new ThroughputRow
                {
                    RunId = new RunId(id),
                    AtUtc = DateTime.UtcNow,
                    Shape = shape.Name,
                    Stage = stage,
                    Method = method,
                    Batch = batch,
                    Contract = device.Level ?? p.Contract,
                    Device = device.Name,
                    Machine = machine,
                    Threads = threads,
                    Launch = l,
                    Block = b,
                    ImagesPerSecond = block.ImagesPerSecond,
                    FlopsPerImage = launches[l].FlopsPerImage,
                    FmaFlops = block.FmaFlops,
                    JoulesPerImage = launches[l].JoulesPerImage,
                    NSteps = launches[l].Steps,
                    StateDigest = launches[l].Digest,
                    LutVersion = LutVersion.Text,
                    StepNsP50 = block.P50,
                    StepNsP90 = block.P90,
                    StepNsP99 = block.P99,
                    StepNsMax = block.Max,
                    DataWait = block.DataWait,
                    PeakFlops = peak,
                    PeakSource = source,
                    OtherLoad = block.OtherLoad,
                    ClockMhz = block.ClockMhz,
                    Slowdown = string.Join(",", block.Slowdown),
                    WarmupSteps = launches[l].WarmupSteps,
                    HwKey = Machine.HardwareKey(device),
                    CheckDigest = launches[l].CheckDigest,
                }
            );
        }
        return rows;
    }

    /// <summary>
    /// MFU's denominator: a GPU's data sheet (dense, at its highest clock) for the unit that this level of math uses;
    /// on the CPU and unknown GPUs what was measured before the block.
    /// </summary>
    internal static (double Flops, string Source) PeakOf(Device device, Block block)
    {
        if (device is not CudaDevice cuda || Hardware.Of(cuda.Context.DeviceName) is not { } sheet)
            return (block.FmaFlops, "FMA limit measured before the block");
        return device.Level switch
        {
            null => (sheet.Float32, $"{sheet.Title}'s sheet, FP32"),
            { } level when level.Contains("tf32", StringComparison.Ordinal) => (
                sheet.Tf32,
                $"{sheet.Title}'s sheet, TF32"
            ),
            _ => (sheet.Bf16, $"{sheet.Title}'s sheet, BF16"),
        };
    }

    internal static void Write(string folder, IReadOnlyList<ThroughputRow> rows) =>
        RunStore
            .Create(folder)
            .Commit(
                [new Table<ThroughputRow>(rows)],
                new Dictionary<string, string>
                {
                    ["lut.run_id"] = rows[0].RunId.Text,
                    ["lut.protocol"] = rows[0].Shape,
                    ["lut.math_hash"] = "",
                    ["lut.data_hash"] = "",
                    ["lut.writer"] = "lut " + LutVersion.Text,
                }
            );
}
