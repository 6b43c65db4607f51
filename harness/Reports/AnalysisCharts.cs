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
    internal static AnalysisResult From(Table table, IEnumerable<object?[]> rows)
    {
        int kind = table.Schema.IndexOf("kind");
        int layer = table.Schema.IndexOf("layer");
        int index = table.Schema.IndexOf("index");
        int value = table.Schema.IndexOf("value");
        int images = table.Schema.IndexOf("images");
        var all = rows.ToList();
        double[] Values(string k) =>
            [.. all.Where(r => (string)r[kind]! == k).OrderBy(r => (int)r[index]!).Select(r => (double)r[value]!)];
        double[][] distance =
        [
            .. all.Where(r => (string)r[kind]! == "attention_distance")
                .GroupBy(r => (int)r[layer]!)
                .OrderBy(g => g.Key)
                .Select(g => g.OrderBy(r => (int)r[index]!).Select(r => (double)r[value]!).ToArray()),
        ];
        return new AnalysisResult(
            distance,
            Values("uniform_distance")[0],
            Values("image_singular_value"),
            Values("token_singular_value"),
            (int)all[0][images]!,
            0
        );
    }
}
