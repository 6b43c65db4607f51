using LutNative.Harness.Images;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using MathNet.Numerics.LinearAlgebra;

namespace LutNative.Harness.Evaluation;

/// <summary>What a trained encoder's attention and features look like.</summary>
/// <param name="Distance">
/// [layer][head], pixels: how far a patch looks, weighted by attention, mean over queries and images.
/// </param>
/// <param name="Uniform">The same for attention that looks everywhere alike, pixels.</param>
/// <param name="ImageSpectrum">
/// Natural logarithms of the singular values of the covariance of images' mean tokens, largest first.
/// </param>
/// <param name="TokenSpectrum">
/// The same of one image's tokens, averaged over <paramref name="TokenImages"/> images.
/// </param>
public sealed record AnalysisResult(
    double[][] Distance,
    double Uniform,
    double[] ImageSpectrum,
    double[] TokenSpectrum,
    int Images,
    int TokenImages
);

/// <summary>
/// The analyses that LUT's paper shows of MAE and LUT. Attention distance: class token taken off, rows of attention
/// divided by their sum, then the mean of |a - b| x patch size between patch centres (Raghu et al. 2021; Park et al.
/// 2023, self_attention_analysis.ipynb). Singular values: of the covariance of z over images, z the mean of the patch
/// tokens after the final norm, and of the covariance of the tokens inside of an image (Park et al. 2023); which of
/// them LUT plots, its paper does not say. Evaluation images as evaluation sees them, all patches visible.
/// </summary>
public static class Analysis
{
    private const int Chunk = 8;
    private const int MostTokenImages = 200;
    private const double Rank = 1e-12; // of the largest singular value: below is rounding

    public static AnalysisResult Run(Lut net, Weights weights, Device device, Pool pool, Views images, int count)
    {
        var shape = net.Mae.Shape;
        int n = Math.Min(count, images.Images.Count);
        int patches = shape.Grid.Patches;
        int d = shape.Width;
        int tokens = patches + 1;
        int chunks = (n + Chunk - 1) / Chunk;
        int tokenImages = Math.Min(n, MostTokenImages);
        double[] far = Distances(shape.Grid);
        var distance = new double[chunks][]; // summed over a chunk's images and queries, [layer * heads + head]
        var pooled = Matrix<double>.Build.Dense(n, d);
        var spectra = new double[tokenImages][];
        using var arena = device.NewArena();
        var workers = Enumerable
            .Range(0, pool.Workers)
            .Select(_ =>
            {
                var a = new EncoderActivations(arena, shape, Chunk, patches, training: true);
                return (
                    A: a,
                    Image: new HostInput(device, shape.Grid.ImageFloats),
                    Normed: arena.Matrix(Chunk * tokens, d),
                    Stats: arena.Matrix(Chunk * tokens, 2),
                    Prob: new float[Chunk * shape.Heads * tokens * tokens],
                    Features: new float[Chunk * tokens * d]
                );
            })
            .ToArray();
        pool.Run(
            chunks,
            (chunk, w) =>
            {
                var (a, image, normed, stats, prob, features) = workers[w];
                int here = Math.Min(Chunk, n - chunk * Chunk);
                for (int i = 0; i < here; i++)
                {
                    images.Plain(chunk * Chunk + i, image.Begin(a.Images.Slice(i, 1)));
                    image.End();
                }
                net.Mae.Encode(new Pass(device, weights), normed, stats, a);
                distance[chunk] = new double[shape.Depth * shape.Heads];
                for (int layer = 0; layer < shape.Depth; layer++)
                {
                    device.Read(prob, a.Blocks[layer].Prob);
                    for (int s = 0; s < here; s++)
                    for (int h = 0; h < shape.Heads; h++)
                    for (int i = 0; i < patches; i++)
                        distance[chunk][layer * shape.Heads + h] += Mean(
                            prob.AsSpan(((s * shape.Heads + h) * tokens + i + 1) * tokens + 1, patches),
                            far.AsSpan(i * patches, patches)
                        );
                }
                device.Read(features, normed);
                for (int s = 0; s < here; s++)
                {
                    int index = chunk * Chunk + s;
                    var own = Matrix<double>.Build.Dense(patches, d, (r, c) => features[(s * tokens + 1 + r) * d + c]);
                    pooled.SetRow(index, own.ColumnSums() / patches);
                    if (index < tokenImages)
                        spectra[index] = Spectrum(own);
                }
            }
        );
        double[][] mean =
        [
            .. Enumerable
                .Range(0, shape.Depth)
                .Select(l =>
                    Enumerable
                        .Range(0, shape.Heads)
                        .Select(h => distance.Sum(c => c[l * shape.Heads + h]) / ((double)n * patches))
                        .ToArray()
                ),
        ];
        int ranks = spectra.Min(s => s.Length);
        return new AnalysisResult(
            mean,
            far.Average(),
            Spectrum(pooled),
            [.. Enumerable.Range(0, ranks).Select(k => spectra.Average(s => s[k]))],
            n,
            tokenImages
        );
    }

    /// <summary>Of one query: distances weighted by its attention to patches.</summary>
    private static double Mean(ReadOnlySpan<float> attention, ReadOnlySpan<double> far)
    {
        double sum = 0;
        double weighted = 0;
        for (int j = 0; j < attention.Length; j++)
        {
            sum += attention[j];
            weighted += attention[j] * far[j];
        }
        return sum > 0 ? weighted / sum : 0;
    }

    /// <summary>Pixels between the centres of patches, [P, P].</summary>
    private static double[] Distances(PatchGrid grid)
    {
        var all = new double[grid.Patches * grid.Patches];
        for (int i = 0; i < grid.Patches; i++)
        for (int j = 0; j < grid.Patches; j++)
        {
            double dy = i / grid.Across - j / grid.Across;
            double dx = i % grid.Across - j % grid.Across;
            all[i * grid.Patches + j] = grid.Patch * Math.Sqrt(dy * dy + dx * dx);
        }
        return all;
    }

    /// <summary>
    /// Logarithms of the singular values of the rows' covariance (n - 1), by the smaller of the two products: both have
    /// the same ones.
    /// </summary>
    private static double[] Spectrum(Matrix<double> rows)
    {
        var mean = rows.ColumnSums() / rows.RowCount;
        var centred = Matrix<double>.Build.Dense(rows.RowCount, rows.ColumnCount, (r, c) => rows[r, c] - mean[c]);
        var product =
            (rows.RowCount < rows.ColumnCount ? centred * centred.Transpose() : centred.Transpose() * centred)
            / Math.Max(1, rows.RowCount - 1);
        double[] values = [.. product.Evd(Symmetricity.Symmetric).EigenValues.Select(v => v.Real).OrderDescending()];
        return [.. values.TakeWhile(v => v > Rank * values[0]).Select(HostMath.Log)];
    }
}
