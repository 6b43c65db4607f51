using LutNative.Harness.Evaluation;
using LutNative.Results;

namespace LutNative.Harness.Reports;

/// <summary>The plots of `lut analyze`, for files and for the report.</summary>
internal static class AnalysisCharts
{
    /// <summary>As files of their own, with style.</summary>
    internal static IEnumerable<(string Name, string Svg)> Files(
        IReadOnlyList<(string Name, AnalysisResult Result)> runs
    ) => Of(runs, (title, x, y, series) => Chart.File(title, x, y, series));

    /// <summary>As parts of a page.</summary>
    internal static IEnumerable<Html> Figures(IReadOnlyList<(string Name, AnalysisResult Result)> runs) =>
        Of(runs, (title, x, y, series) => Chart.Line(title, x, y, series)).Select(c => c.Svg);

    private static IEnumerable<(string Name, T Svg)> Of<T>(
        IReadOnlyList<(string Name, AnalysisResult Result)> runs,
        Func<string, string, string, IReadOnlyList<Series>, T> draw
    )
    {
        T Draw(string title, string x, string y, IReadOnlyList<Series> series, double? uniform = null)
        {
            if (uniform is { } u)
                series = [.. series, Level(series, u)];
            return draw(title, x, y, series);
        }

        yield return (
            "attention-distance",
            Draw(
                "Attention distance",
                "layer",
                "pixels",
                [
                    .. runs.Select(r => new Series(
                        r.Name,
                        Ranks(r.Result.Distance.Length),
                        [.. r.Result.Distance.Select(h => h.Average())],
                        [.. r.Result.Distance.Select(h => h.Min())],
                        [.. r.Result.Distance.Select(h => h.Max())],
                        Points: true
                    )),
                ],
                runs[0].Result.Uniform
            )
        );
        yield return (
            "singular-values-images",
            Draw(
                "Singular values of image features",
                "rank",
                "log of value / first",
                [
                    .. runs.Select(r => new Series(
                        r.Name,
                        Ranks(r.Result.ImageSpectrum.Length),
                        [.. r.Result.ImageSpectrum.Select(v => v - r.Result.ImageSpectrum[0])]
                    )),
                ]
            )
        );
        yield return (
            "singular-values-tokens",
            Draw(
                "Singular values of an image's tokens",
                "rank",
                "log of value / first",
                [
                    .. runs.Select(r => new Series(
                        r.Name,
                        Ranks(r.Result.TokenSpectrum.Length),
                        [.. r.Result.TokenSpectrum.Select(v => v - r.Result.TokenSpectrum[0])]
                    )),
                ]
            )
        );
    }

    private static Series Level(IReadOnlyList<Series> series, double at) =>
        new("everywhere alike", series[0].X, [.. series[0].X.Select(_ => at)]);

    private static double[] Ranks(int n) => [.. Enumerable.Range(0, n).Select(i => (double)i)];

    /// <summary>The rows of one run in an analysis table, as they were measured.</summary>
    internal static AnalysisResult From(IEnumerable<AnalysisRow> rows)
    {
        var all = rows.ToList();
        double[] Values(string kind) => [.. all.Where(r => r.Kind == kind).OrderBy(r => r.Index).Select(r => r.Value)];
        double[][] distance =
        [
            .. all.Where(r => r.Kind == AttentionDistance)
                .GroupBy(r => r.Layer)
                .OrderBy(g => g.Key)
                .Select(g => g.OrderBy(r => r.Index).Select(r => r.Value).ToArray()),
        ];
        return new AnalysisResult(
            distance,
            Values(UniformDistance)[0],
            Values(ImageSingularValue),
            Values(TokenSingularValue),
            all[0].Images,
            0
        );
    }

    /// <summary>The way there: what was measured of one run, as rows.</summary>
    internal static IEnumerable<AnalysisRow> Rows(RunId run, AnalysisResult result)
    {
        int depth = result.Distance.Length;
        for (int l = 0; l < depth; l++)
        for (int h = 0; h < result.Distance[l].Length; h++)
            yield return Row(AttentionDistance, l, h, result.Distance[l][h], result.Images);
        yield return Row(UniformDistance, 0, 0, result.Uniform, result.Images);
        for (int k = 0; k < result.ImageSpectrum.Length; k++)
            yield return Row(ImageSingularValue, depth, k, result.ImageSpectrum[k], result.Images);
        for (int k = 0; k < result.TokenSpectrum.Length; k++)
            yield return Row(TokenSingularValue, depth, k, result.TokenSpectrum[k], result.TokenImages);

        AnalysisRow Row(string kind, int layer, int index, double value, int images) =>
            new()
            {
                RunId = run,
                Kind = kind,
                Layer = layer,
                Index = index,
                Value = value,
                Images = images,
            };
    }

    private const string AttentionDistance = "attention_distance";
    private const string UniformDistance = "uniform_distance";
    private const string ImageSingularValue = "image_singular_value";
    private const string TokenSingularValue = "token_singular_value";
}
