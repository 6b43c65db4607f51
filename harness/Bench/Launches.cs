using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Bench;

/// <summary>Fresh processes that measure, one after another, and the rows that they give.</summary>
internal static class Launches
{
    /// <summary>One launch in a fresh process.</summary>
    internal static Launch Fresh(BenchOrder order)
    {
        using var child = BenchProcess.Start(BenchProcess.Self, order, turns: false);
        return child.Result();
    }

    /// <summary>
    /// One launch of each of two builds that take turns block by block (A B, B A, ...): whatever the machine does
    /// meanwhile it does to both. The other waits without using the processor. Results are pairs of blocks.
    /// </summary>
    /// <param name="other">self, or another build: its lut.dll or its executable.</param>
    internal static (Launch Mine, Launch Theirs) Pair(BenchOrder order, string other, BenchOrder theirs)
    {
        using var a = BenchProcess.Start(BenchProcess.Self, order, turns: true);
        a.Await(); // warm, before the other begins to warm up
        using var b = BenchProcess.Start(other, theirs, turns: true);
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
                new Dictionary<string, string>(TableMetadata.Of(rows[0].RunId.Text))
                {
                    [RunIdentity.ProtocolKey] = rows[0].Shape,
                    [RunIdentity.MathKey] = "",
                    [RunIdentity.DataKey] = "",
                }
            );
}
