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
    internal static Table Rows(
        BenchShape shape,
        string stage,
        Device device,
        int threads,
        IReadOnlyList<Launch> launches,
        string? id = null
    )
    {
        var p = shape.Protocol;
        var table = new Table(Schema.Throughput);
        id ??= Guid.CreateVersion7().ToString();
        string machine = device is CudaDevice cuda ? cuda.Context.DeviceName : Machine.CpuModel;
        var (method, batch) = stage == "pretrain" ? (p.Pretrain.Method, p.Pretrain.Batch) : ("", p.Finetune.Batch);
        for (int l = 0; l < launches.Count; l++)
        for (int b = 0; b < launches[l].Blocks.Length; b++)
        {
            var block = launches[l].Blocks[b];
            var (peak, source) = PeakOf(device, block);
            table.Add(
                id,
                DateTime.UtcNow,
                shape.Name,
                stage,
                method,
                batch,
                device.Level ?? p.Contract,
                device.Name,
                machine,
                threads,
                l,
                b,
                block.ImagesPerSecond,
                launches[l].FlopsPerImage,
                block.FmaFlops,
                launches[l].JoulesPerImage,
                launches[l].Steps,
                launches[l].Digest,
                LutVersion.Text,
                block.P50,
                block.P90,
                block.P99,
                block.Max,
                block.DataWait,
                peak,
                source,
                block.OtherLoad,
                block.ClockMhz,
                string.Join(",", block.Slowdown),
                launches[l].WarmupSteps,
                Machine.HardwareKey(device),
                launches[l].CheckDigest
            );
        }
        return table;
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

    internal static void Write(string folder, Table rows)
    {
        string id = rows.Get<string>(0, "run_id");
        var part = new Table(Schema.Throughput); // a commit empties what it has written
        part.AddRange(rows);
        RunStore
            .Create(folder)
            .Commit(
                [part],
                new Dictionary<string, string>(TableMetadata.Of(id))
                {
                    [RunIdentity.ProtocolKey] = rows.Get<string>(0, "shape"),
                    [RunIdentity.MathKey] = "",
                    [RunIdentity.DataKey] = "",
                }
            );
    }
}
