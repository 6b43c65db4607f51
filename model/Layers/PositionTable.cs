using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>
/// Fixed two-dimensional sine-cosine position embeddings, [1 + P, D], row 0 (class token) zero. Half of the channels
/// encode the column ("w goes first" in the source), half the row; each half is [sin(all), cos(all)] with omega_i =
/// 10000^(-i/(D/4)), in double, rounded once. Source: MAE util/pos_embed.py; D must be divisible by 4.
/// </summary>
public static class PositionTable
{
    public static void Fill(Span<float> table, int width, int across)
    {
        int quarter = width / 4;
        if (width % 4 != 0)
            throw new ShapeException($"position embeddings need a width divisible by 4, not {width}");
        table.Clear();
        for (int i = 0; i < quarter; i++)
        {
            double omega = HostMath.Exp(-(double)i / quarter * HostMath.Log(10000.0));
            for (int l = 0; l < across * across; l++)
            {
                int column = l % across;
                int row = l / across;
                Span<float> to = table.Slice((1 + l) * width, width);
                to[i] = (float)HostMath.Sin(column * omega);
                to[quarter + i] = (float)HostMath.Cos(column * omega);
                to[2 * quarter + i] = (float)HostMath.Sin(row * omega);
                to[3 * quarter + i] = (float)HostMath.Cos(row * omega);
            }
        }
    }
}
