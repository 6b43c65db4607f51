using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>One set of images: how many of <paramref name="N"/> got their class as the first answer, or in five.</summary>
/// <param name="Top5">Null where there are fewer than five classes.</param>
internal sealed record ClassifiedSet(string Set, int Correct, int N, int? Top5, double Percent);

/// <summary>A classifier's accuracy.</summary>
/// <param name="MeanError">Of all sets, in percent.</param>
internal sealed record ClassifyResult(
    string Protocol,
    string? Checkpoint,
    IReadOnlyList<ClassifiedSet> Results,
    double MeanError,
    Exit Exit
) : IVerbResult
{
    internal static void Text(ClassifyResult found)
    {
        Output.Table(
            ["set", "top-1", "percent", "top-5"],
            found.Results.Select(x =>
                new[] { x.Set, $"{x.Correct}/{x.N}", x.Percent.Text("f3"), x.Top5 is { } five ? $"{five}/{x.N}" : "" }
            )
        );
        if (found.Results.Count > 1)
            Output.Line($"mean error over {found.Results.Count} sets: {found.MeanError.Text("f3")} %");
    }
}
