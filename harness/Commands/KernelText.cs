using System.Globalization;
using LutNative.Harness.Bench;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>`bench --kernels` for people.</summary>
internal static class KernelText
{
    internal static void Write(KernelReport report)
    {
        Output.Table(
            ["kernel", "launches", "GFLOP", "MB", "sheet ms", "measured ms", "share of sheet"],
            report.Kernels.Select(k => Row(k, report))
        );
        Output.Line(Sum(report));
        if (report.Planned)
            Output.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{report.SamplesAtOnce} samples at once, activations "
                        + $"{(report.Recompute ? "recomputed" : "kept")}: fits {report.DeviceBytes / 1e9:f0} GB"
                )
            );
    }

    private static string[] Row(KernelLine k, KernelReport report) =>
        [
            k.Name,
            k.Launches.Text(),
            (k.Flops / 1e9).Text("f1"),
            (k.Bytes / 1e6).Text("f1"),
            k.FloorMs.Text("f3"),
            report.Planned ? "" : k.MeasuredMs.Text("f3"),
            report.Planned || report.Sheet is null ? "" : (100 * k.FloorMs / k.MeasuredMs).Text("f0") + " %",
        ];

    private static string Sum(KernelReport report)
    {
        int launches = report.Kernels.Sum(k => k.Launches);
        double flops = report.Kernels.Sum(k => k.Flops);
        double bytes = report.Kernels.Sum(k => k.Bytes);
        string allowed = report.SheetTitle is { } title
            ? $"; {title}'s sheet allows {report.FloorMs.Text("f2")} ms, "
                + $"{(report.Batch / report.FloorMs * 1e3).Text("f0")} images/s"
            : "";
        string measured = report.Planned ? "" : $"; measured {report.MeasuredMs.Text("f2")} ms in kernels";
        return $"{report.Shape} {report.Stage}, batch {report.Batch}, {report.Level}: {launches} launches a "
            + $"step, {(flops / 1e9).Text("f1")} GFLOP, {(bytes / 1e9).Text("f2")} GB{allowed}{measured}";
    }
}
