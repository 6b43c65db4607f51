namespace LutNative.Model.Checkpoints;

/// <summary>
/// Position embeddings [1 + P, D] for another grid. Source: MAE util/pos_embed.py interpolate_pos_embed: torch bicubic
/// (a = -0.75), align_corners=False, the class token kept.
/// </summary>
public static class Positions
{
    /// <param name="rows">1 + a square number of patches, of the table that is given.</param>
    /// <param name="wanted">The same, of the table that is made.</param>
    public static float[] Interpolate(ReadOnlySpan<float> table, int width, int rows, int wanted)
    {
        int from = (int)Math.Round(Math.Sqrt(rows - 1));
        int to = (int)Math.Round(Math.Sqrt(wanted - 1));
        if (from * from != rows - 1 || to * to != wanted - 1 || table.Length != rows * width)
            throw new CheckpointException(
                $"position embeddings of {rows - 1} patches cannot become {wanted - 1}: both must be squares"
            );
        var result = new float[wanted * width];
        table[..width].CopyTo(result);
        double scale = (double)from / to;
        Span<double> wy = stackalloc double[4];
        Span<double> wx = stackalloc double[4];
        for (int y = 0; y < to; y++)
        {
            int y0 = Weights(wy, (y + 0.5) * scale - 0.5);
            for (int x = 0; x < to; x++)
            {
                int x0 = Weights(wx, (x + 0.5) * scale - 0.5);
                for (int c = 0; c < width; c++)
                {
                    double sum = 0;
                    for (int j = 0; j < 4; j++)
                    {
                        double line = 0;
                        int row = Math.Clamp(y0 - 1 + j, 0, from - 1);
                        for (int i = 0; i < 4; i++)
                            line += wx[i] * table[(1 + row * from + Math.Clamp(x0 - 1 + i, 0, from - 1)) * width + c];
                        sum += wy[j] * line;
                    }
                    result[(1 + y * to + x) * width + c] = (float)sum;
                }
            }
        }
        return result;
    }

    /// <summary>Keys' cubic convolution for a place between samples; returns the sample below it.</summary>
    private static int Weights(Span<double> w, double place)
    {
        const double A = -0.75;
        int below = (int)Math.Floor(place);
        double t = place - below;
        static double Near(double x) => ((A + 2) * x - (A + 3)) * x * x + 1;
        static double Far(double x) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
        (w[0], w[1], w[2], w[3]) = (Far(t + 1), Near(t), Near(1 - t), Far(2 - t));
        return below;
    }
}
