using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Interop;
using LutNative.Interop.Emulator;
using LutNative.Model.Devices;
using LutNative.Model.Threads;

namespace LutNative.Harness.Bench;

/// <summary>
/// One optimiser step by kernel: launches, arithmetic, bytes, the time that a data sheet allows, and on a device the
/// time measured. The step's own code asks for the launches, on a device that drops them (planned:h200) as on a real
/// one, so that the two tables have the same rows and one run says where it falls short.
/// </summary>
internal static class KernelTable
{
    internal const string Planned = "planned:";
    private const double NoLimit = 1e15;
    private static readonly BenchOptions FrozenData = new(FrozenData: true);

    internal static KernelReport Of(
        BenchShape shape,
        string stage,
        ExecOptions exec,
        BenchOptions bench,
        string deviceName,
        string math,
        string memory,
        string? data
    )
    {
        bool plan = deviceName.StartsWith(Planned, StringComparison.Ordinal);
        var sheet = plan ? Hardware.Find(deviceName[Planned.Length..]) : null;
        Device device = sheet is null ? DeviceCatalog.Of(deviceName, math) : PlannedDevice(sheet, math);
        if (device is not CudaDevice cuda)
            throw UsageErrors.KernelsNeedGpu(deviceName);
        using (cuda)
        {
            sheet ??= Hardware.Of(cuda.Context.DeviceName);
            exec = exec with { Recompute = MemorySetting.Recompute(memory, shape.Protocol, device, exec, bench) };
            if (plan)
                exec = ThatFits(shape, stage, cuda, exec, memory);
            var rows = Measure(shape, stage, exec, cuda, data);
            return Report(shape, stage, exec, cuda, sheet, plan, rows);
        }
    }

    /// <summary>
    /// Images per second that a data sheet allows for a protocol's step, by asking its own code for 128 samples at
    /// once.
    /// </summary>
    internal static double SheetRate(ProtocolSpec p, string stage, Hardware sheet, string math)
    {
        const int Samples = 128;
        var shape = new BenchShape(
            "plan",
            p.Title,
            p with
            {
                Data = p.Data with { Name = "noise", TrainImages = Samples, TestImages = Samples },
                Pretrain = p.Pretrain with
                {
                    Epochs = 1 << 20,
                    Batch = Samples,
                    BnBatch = Samples,
                    Grain = Math.Min(p.Pretrain.Grain, Samples),
                },
                Finetune = p.Finetune with
                {
                    Epochs = 1 << 20,
                    Batch = Samples,
                    Grain = Math.Min(p.Finetune.Grain, Samples),
                    Mixup = 0,
                    Cutmix = 0,
                },
                Transform = null,
            }
        );
        using var device = PlannedDevice(sheet with { MemoryBytes = NoLimit }, math); // how fast, not how much at once
        var rows = Measure(shape, stage, new ExecOptions(1, 0, 0, TimeSpan.MaxValue, Recompute: false), device, null);
        return Samples / rows.Sum(r => Total(r, w => sheet.Floor(w)));
    }

    /// <summary>
    /// A plan says what a card can do: where the asked setting does not fit its memory, the largest that does.
    /// </summary>
    private static ExecOptions ThatFits(
        BenchShape shape,
        string stage,
        CudaDevice device,
        ExecOptions exec,
        string memory
    )
    {
        if (
            MemoryPlan.Stage(shape.Protocol, BenchShape.Trained(stage), device, exec, FrozenData)
            <= ClusterPlan.MostMemory * device.MemoryBytes
        )
            return exec;
        return MemoryPlan.Fitting(shape.Protocol, device, exec, FrozenData)
            ?? throw UnfitErrors.DoesNotFit(shape.Name, device.Name, memory, shape.Batch(stage));
    }

    internal static CudaDevice PlannedDevice(Hardware sheet, string math)
    {
        var driver = new EmulatedDriver(
            new EmulationOptions(Multiprocessors: sheet.Multiprocessors, Execute: false),
            (long)sheet.MemoryBytes
        );
        return DeviceCatalog.Emulated(driver, Planned + sheet.Name, math);
    }

    /// <summary>The third step: buffers exist by then.</summary>
    private static IReadOnlyList<KernelRow> Measure(
        BenchShape shape,
        string stage,
        ExecOptions exec,
        CudaDevice device,
        string? data
    )
    {
        using var pool = new Pool(1);
        var views = new Views(shape.Protocol, shape.Images(data));
        using Trainer t = BenchShape
            .Trained(stage)
            .NewTrainer(shape.Protocol, views, device, pool, exec, bench: FrozenData);
        t.Step(0);
        t.Step(1);
        var profile = new KernelProfile();
        device.Measure(profile);
        t.Step(2);
        var rows = profile.Rows;
        device.Measure(null);
        return rows;
    }

    private static KernelReport Report(
        BenchShape shape,
        string stage,
        ExecOptions exec,
        CudaDevice device,
        Hardware? sheet,
        bool plan,
        IReadOnlyList<KernelRow> rows
    )
    {
        IEnumerable<KernelLine> lines = rows.Select(r => new KernelLine(
            r.Name,
            r.Launches,
            Total(r, w => w.Flops),
            Total(r, w => w.Bytes),
            sheet is null ? 0 : 1e3 * Total(r, w => sheet.Floor(w)),
            r.Milliseconds
        ));
        if (plan)
            lines = lines.OrderByDescending(l => l.FloorMs);
        KernelLine[] kernels = [.. lines];
        int batch = shape.Batch(stage);
        return new KernelReport(
            shape.Name,
            stage,
            batch,
            device.Name,
            device.Level ?? shape.Protocol.Contract,
            sheet?.Name,
            kernels.Sum(l => l.FloorMs),
            rows.Sum(r => r.Milliseconds),
            kernels
        )
        {
            SheetTitle = sheet?.Title,
            Planned = plan,
            SamplesAtOnce = exec.PlanOf(device, batch, batch, shape.Grain(stage)).Samples,
            Recompute = exec.Recompute,
            DeviceBytes = device.MemoryBytes,
        };
    }

    private static double Total(KernelRow row, Func<Work, double> of)
    {
        double sum = 0;
        foreach (var (work, count) in row.Works)
            sum += count * of(work);
        return sum;
    }
}
