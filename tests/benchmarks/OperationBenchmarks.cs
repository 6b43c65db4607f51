using System.Globalization;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using LutNative.Model.Devices;
using LutNative.Model.Threads;

namespace LutNative.Benchmarks;

/// <summary>
/// Every operation of a step, one thread, on the device this machine chooses, at the shapes of a ViT-B grain (4 images:
/// 200 tokens visible, 788 in all). The last column is what matters: the share of the machine's FMA or copy limit,
/// whichever bounds the operation, measured in the same process.
/// </summary>
public class OperationBenchmarks
{
    private static readonly Operations All = new(Cpu.Best());

    public static IEnumerable<OperationCase> Cases => All.Cases;

    [ParamsSource(nameof(Cases))]
    public OperationCase Case { get; set; } = null!;

    [Benchmark]
    public void Run() => Case.Run();
}

/// <summary>
/// One operation at one shape. Flops are those of its matrix products, or 0; Bytes the least it must read and write.
/// </summary>
public sealed record OperationCase(string Name, double Flops, double Bytes, Action Run)
{
    public override string ToString() => Name;
}

/// <summary>flops / time / FMA limit, or bytes / time / copy limit.</summary>
internal sealed class LimitColumn : IColumn
{
    private readonly Lazy<(double Fma, double Copy)> limits = new(() =>
    {
        using var pool = new Pool(1);
        return (MachineLimits.FmaFlops(pool, 0.5), MachineLimits.CopyBytes(pool, 0.5));
    });

    public string Id => nameof(LimitColumn);
    public string ColumnName => "of the limit";
    public bool AlwaysShow => true;
    public ColumnCategory Category => ColumnCategory.Custom;
    public int PriorityInCategory => 0;
    public bool IsNumeric => false;
    public UnitType UnitType => UnitType.Dimensionless;
    public string Legend =>
        "share of the machine's FMA limit (products) or copy limit (all else), one thread, measured";

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        GetValue(summary, benchmarkCase);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (
            benchmarkCase.Parameters["Case"] is not OperationCase c
            || summary[benchmarkCase]?.ResultStatistics?.Mean is not { } ns
        )
            return "?";
        var (fma, copy) = limits.Value;
        return c.Flops > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * c.Flops / (ns * 1e-9) / fma:f0} % FMA")
            : string.Create(CultureInfo.InvariantCulture, $"{100 * c.Bytes / (ns * 1e-9) / copy:f0} % copy");
    }
}

internal static class Program
{
    private static void Main(string[] args)
    {
        if (args is [CompareRuns.Verb, .. var rest])
            CompareRuns.Run(rest);
        else
            Operations(args);
    }

    private static void Operations(string[] args) =>
        BenchmarkSwitcher
            .FromAssembly(typeof(Program).Assembly)
            .Run(
                args.Length == 0 ? ["--filter", "*"] : args,
                DefaultConfig
                    .Instance.WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(48))
                    .AddColumn(new LimitColumn())
                    .AddJob(Job.ShortRun.WithToolchain(InProcessNoEmitToolchain.Instance))
            );
}
