using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LutNative.Harness.Bench;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>
/// bench: images per second of whole optimiser steps, in fresh processes, with phases and the share of the machine's
/// limit.
/// </summary>
internal static class BenchCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "bench",
            "Measure images per second of whole optimiser steps. Example: lut bench vitb16 --batch 8"
        );
        var arguments = new BenchArguments(command);
        command.SetAction(r => Run(arguments, r));
        return command;
    }

    private static int Run(BenchArguments arguments, ParseResult r)
    {
        var order = arguments.Order(r);
        bool json = r.GetValue(arguments.Json);
        var shape = BenchShape.Of(order);
        int threads = order.Threads > 0 ? order.Threads : Environment.ProcessorCount;
        var exec = new ExecOptions(threads, order.MicroBatch, order.DataWorkers, TimeSpan.MaxValue);
        var bench = new BenchOptions(order.Premade);
        if (r.GetValue(arguments.Kernels))
        {
            var report = KernelTable.Of(
                shape,
                order.Stage,
                exec,
                bench,
                order.Device,
                order.Math,
                order.Memory,
                order.Data
            );
            return Output.Print(report, json, KernelText.Write);
        }
        var device = DeviceCatalog.Of(order.Device, order.Math);
        exec = exec with { Recompute = MemorySetting.Recompute(order.Memory, shape.Protocol, device, exec, bench) };
        int launches = r.GetValue(arguments.Launches);
        if (launches == 0)
        {
            MeasureHere(order, shape, device, exec, bench, inTurns: r.GetValue(arguments.Turns));
            return (int)Exit.Ok;
        }
        string? folder = r.GetValue(arguments.Folder);
        if (r.GetValue(arguments.Against) is not { } other)
            return Output.Print(Measure(order, shape, device, exec, bench, launches, folder), json, BenchText.Write);
        var (mine, theirs) = MeasureInTurns(order, shape, device, threads, launches, other, folder);
        if (other == BenchProcess.Self && order.Slow == 0 && !json)
            Output.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"noise band of this machine for {order.Shape} {order.Stage}: "
                        + $"{Performance.BandOf(mine):f4} between launches at different times, "
                        + $"{Performance.BandOf(mine, theirs):f4} between pairs in turns"
                )
            );
        double band = r.GetValue(arguments.Band) ?? PerformanceReport.DefaultBand;
        var compared = PerformanceReport.Of(Performance.Compare(mine, theirs, _ => band));
        return Output.Print(compared, json, PerformanceText.Write);
    }

    /// <summary>
    /// One launch in this process, for the one that started it: its answer is a line of JSON on standard output.
    /// </summary>
    private static void MeasureHere(
        BenchOrder order,
        BenchShape shape,
        Device device,
        ExecOptions exec,
        BenchOptions bench,
        bool inTurns
    )
    {
        var launch = StepBench.Run(
            shape,
            order.Stage,
            shape.Images(order.Data),
            device,
            exec,
            bench,
            order.Blocks,
            order.Seconds,
            order.Slow,
            inTurns ? MyTurn : null
        );
        Console.Out.WriteLine(JsonSerializer.Serialize(launch));
    }

    private static void MyTurn()
    {
        Console.Out.WriteLine(BenchProcess.Waiting);
        Console.Out.Flush();
        Console.In.ReadLine();
    }

    private static BenchResult Measure(
        BenchOrder order,
        BenchShape shape,
        Device device,
        ExecOptions exec,
        BenchOptions bench,
        int launches,
        string? folder
    )
    {
        Launch[] measured = [.. Enumerable.Range(0, launches).Select(_ => Launches.Fresh(order))];
        if (folder is not null)
            Launches.Write(folder, Launches.Rows(shape, order.Stage, device, exec.Threads, measured));
        return BenchResult.Of(shape, order.Stage, device, exec, bench, measured);
    }

    /// <summary>Rows of this build and of another, whose blocks are pairs.</summary>
    private static (IReadOnlyList<ThroughputRow> Mine, IReadOnlyList<ThroughputRow> Theirs) MeasureInTurns(
        BenchOrder order,
        BenchShape shape,
        Device device,
        int threads,
        int launches,
        string other,
        string? folder
    )
    {
        (Launch Mine, Launch Theirs)[] pairs =
        [
            .. Enumerable.Range(0, launches).Select(_ => Launches.Pair(order with { Slow = 0 }, other, order)),
        ];
        string id = Guid.CreateVersion7().ToString();
        var mine = Launches.Rows(shape, order.Stage, device, threads, [.. pairs.Select(p => p.Mine)], id);
        var theirs = Launches.Rows(shape, order.Stage, device, threads, [.. pairs.Select(p => p.Theirs)], id);
        if (folder is not null)
        {
            Launches.Write(Path.Combine(folder, "a"), mine);
            Launches.Write(Path.Combine(folder, "b"), theirs);
        }
        return (mine, theirs);
    }
}
