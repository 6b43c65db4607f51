using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LutNative.Harness.Reports;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Bench;

/// <summary>What to measure, as the command line says it; a fresh process gets the same words.</summary>
/// <param name="Slow">Share of a step's time to wait after it: a slowdown planted on purpose.</param>
internal sealed record BenchOrder(string Shape, string Stage = "pretrain", string Method = "", int Batch = 0, int Threads = 0, int MicroBatch = 0, int DataWorkers = 0, int Blocks = 3, double Seconds = 3.0, string Memory = "keep", string Device = "cpu", string Math = "exact",
    bool Premade = false, string? Data = null, double Slow = 0)
{
    internal IEnumerable<string> Words()
    {
        string I(int v) => v.ToString(CultureInfo.InvariantCulture);
        string D(double v) => v.ToString("R", CultureInfo.InvariantCulture);
        string[] words = ["bench", Shape, "--stage", Stage, "--batch", I(Batch), "--threads", I(Threads), "--micro-batch", I(MicroBatch), "--data-workers", I(DataWorkers), "--blocks", I(Blocks), "--seconds", D(Seconds), "--memory", Memory, "--device", Device, "--math", Math, "--launches=0"];
        return [.. words, .. Method.Length > 0 ? (string[])["--method", Method] : [], .. Premade ? (string[])["--premade"] : [], .. Data is not null ? (string[])["--data", Data] : [], .. Slow > 0 ? (string[])["--slow", D(Slow)] : []];
    }
}

/// <summary>Fresh processes that measure, one after another, and the rows that they give.</summary>
internal static class Launches
{
    /// <summary>This program, for <see cref="Fresh"/>.</summary>
    internal const string Self = "self";

    /// <param name="program">self, or another build: its lut.dll or its executable.</param>
    internal static Launch Fresh(string program, BenchOrder order)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true };
        bool own = program == Self;
        string file = own ? Environment.GetCommandLineArgs()[0] : program;
        // `dotnet lut.dll ...` has the program as its first argument, a self-contained executable does not
        if (own && Path.GetFileNameWithoutExtension(Environment.ProcessPath!) != "dotnet") start.FileName = Environment.ProcessPath!;
        else if (own || program.EndsWith(".dll", StringComparison.Ordinal))
        {
            start.FileName = own ? Environment.ProcessPath! : "dotnet";
            start.ArgumentList.Add(file);
        }
        else start.FileName = program;
        foreach (string word in order.Words()) start.ArgumentList.Add(word);
        try
        {
            using var child = Process.Start(start)!;
            string answer = child.StandardOutput.ReadToEnd();
            child.WaitForExit();
            if (child.ExitCode != 0) throw new LutError((Exit)child.ExitCode, 16, "a launch of the benchmark failed", string.Join(' ', start.ArgumentList), "its message is above", "run it by hand");
            return JsonSerializer.Deserialize<Launch>(answer)!;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or JsonException)
        {
            throw new LutError(Exit.Usage, 37, "the other build cannot be measured", program, e.Message, "name the lut.dll or the executable of a build that knows `bench --launches=0`");
        }
    }

    /// <summary>The launches' blocks as rows of the throughput table.</summary>
    internal static Table Rows(BenchShape shape, string stage, Device device, int threads, IReadOnlyList<Launch> launches)
    {
        var p = shape.Protocol;
        var table = new Table(Schema.Throughput);
        string id = Guid.CreateVersion7().ToString(), machine = device is CudaDevice cuda ? cuda.Context.DeviceName : Machine.CpuModel;
        var (method, batch) = stage == "pretrain" ? (p.Pretrain.Method, p.Pretrain.Batch) : ("", p.Finetune.Batch);
        for (int l = 0; l < launches.Count; l++)
            for (int b = 0; b < launches[l].Blocks.Length; b++)
            {
                var block = launches[l].Blocks[b];
                var (peak, source) = PeakOf(device, block);
                table.Add(id, DateTime.UtcNow, shape.Name, stage, method, batch, device.Level ?? p.Contract, device.Name, machine, threads, l, b, block.ImagesPerSecond, launches[l].FlopsPerImage, block.FmaFlops,
                    launches[l].JoulesPerImage, launches[l].Steps, launches[l].Digest, Version.Lut,
                    block.P50, block.P90, block.P99, block.Max, block.DataWait, peak, source, block.OtherLoad, block.ClockMhz, string.Join(",", block.Slowdown), launches[l].WarmupSteps, Machine.HardwareKey(device), launches[l].CheckDigest);
            }
        return table;
    }

    /// <summary>MFU's denominator: a GPU's data sheet (dense, at its highest clock) for the unit that this level of math uses; on the CPU and unknown GPUs what was measured before the block.</summary>
    internal static (double Flops, string Source) PeakOf(Device device, Block block)
    {
        if (device is not CudaDevice cuda || Hardware.Of(cuda.Context.DeviceName) is not { } sheet) return (block.FmaFlops, "FMA limit measured before the block");
        return device.Level switch
        {
            null => (sheet.Float32, $"{sheet.Title}'s sheet, FP32"), { } level when level.Contains("tf32", StringComparison.Ordinal) => (sheet.Tf32, $"{sheet.Title}'s sheet, TF32"), _ => (sheet.Bf16, $"{sheet.Title}'s sheet, BF16"),
        };
    }

    internal static void Write(string folder, Table rows)
    {
        string id = rows.Get<string>(0, "run_id");
        var part = new Table(Schema.Throughput);   // a commit empties what it has written
        part.AddRange(rows);
        RunStore.Create(folder).Commit([part], new Dictionary<string, string> { ["lut.run_id"] = id, ["lut.protocol"] = rows.Get<string>(0, "shape"), ["lut.math_hash"] = "", ["lut.data_hash"] = "", ["lut.writer"] = "lut " + Version.Lut });
    }
}
