using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>One encoder, by how far its attention looks and how many directions its features use.</summary>
/// <param name="AttentionDistance">Pixels, by layer and head.</param>
/// <param name="Uniform">Pixels, of a head that looks everywhere alike.</param>
/// <param name="ImageLogSingularValues">Natural logarithms, of the covariance over images; then over an image's tokens.</param>
/// <param name="TokenImages">Images whose tokens were looked at.</param>
internal sealed record AnalyzedRun(
    string Run,
    string Name,
    double[][] AttentionDistance,
    double Uniform,
    double[] ImageLogSingularValues,
    double[] TokenLogSingularValues,
    int Images,
    int TokenImages
)
{
    internal required RunStore Store { get; init; }
    internal required AnalysisResult Measured { get; init; }

    internal static AnalyzedRun Of(RunStore run, string name, AnalysisResult found) =>
        new(
            run.Folder,
            name,
            found.Distance,
            found.Uniform,
            found.ImageSpectrum,
            found.TokenSpectrum,
            found.Images,
            found.TokenImages
        )
        {
            Store = run,
            Measured = found,
        };
}

/// <param name="Output">The folder with the table and the plots.</param>
internal sealed record AnalyzeResult(string Output, IReadOnlyList<AnalyzedRun> Runs, Exit Exit) : IVerbResult;

/// <summary>`lut analyze` for people: a column a run.</summary>
internal static class AnalyzeText
{
    private static readonly int[] ImageRanks = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    private static readonly int[] TokenRanks = [1, 2, 4, 8, 16, 32, 64];

    internal static void Write(AnalyzeResult found)
    {
        var runs = found.Runs;
        var names = runs.Select(r => r.Name);
        Output.Table(
            ["attention distance, pixels", .. names],
            [
                .. Enumerable.Range(0, runs.Max(r => r.AttentionDistance.Length)).Select(l => Layer(l, runs)),
                ["looking everywhere alike", .. runs.Select(r => r.Uniform.Text("f2"))],
            ]
        );
        Output.EmptyLine();
        Output.Table(
            ["log singular value beside the first", .. names],
            [
                .. Ranks("images", ImageRanks, runs, r => r.ImageLogSingularValues),
                .. Ranks("tokens of an image", TokenRanks, runs, r => r.TokenLogSingularValues),
            ]
        );
        Output.Line($"table and plots: {found.Output}");
    }

    private static string[] Layer(int layer, IReadOnlyList<AnalyzedRun> runs) =>
        [
            $"layer {layer} (heads)",
            .. runs.Select(r => layer < r.AttentionDistance.Length ? Heads(r.AttentionDistance[layer]) : ""),
        ];

    private static string Heads(double[] heads) =>
        $"{heads.Average().Text("f2")} ({string.Join(" ", heads.Select(h => h.Text("f1")))})";

    private static IEnumerable<string[]> Ranks(
        string of,
        int[] ranks,
        IReadOnlyList<AnalyzedRun> runs,
        Func<AnalyzedRun, double[]> spectrum
    ) =>
        ranks
            .Where(k => runs.Any(r => k < spectrum(r).Length))
            .Select(k =>
                (string[])
                    [
                        $"{of}, rank {k}",
                        .. runs.Select(r => k < spectrum(r).Length ? (spectrum(r)[k] - spectrum(r)[0]).Text("f2") : ""),
                    ]
            );
}
