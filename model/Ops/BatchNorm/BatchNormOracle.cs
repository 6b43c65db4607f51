using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class BatchNormOracle
{
    internal static void Forward(
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        int grain,
        float momentum,
        float eps
    )
    {
        int rows = x.Rows;
        for (int c = 0; c < x.Cols; c++)
        {
            int channel = c;
            float mean = Sum(rows, grain, (r, acc) => acc + x.Row(r)[channel]) / rows;
            float squares = Sum(
                rows,
                grain,
                (r, acc) => MathF.FusedMultiplyAdd(x.Row(r)[channel] - mean, x.Row(r)[channel] - mean, acc)
            );
            float rstd = Unary.Rsqrt(squares / rows + eps);
            for (int r = 0; r < rows; r++)
                y.Row(r)[c] = MathF.FusedMultiplyAdd((x.Row(r)[c] - mean) * rstd, weight.Data[c], bias.Data[c]);
            (stats.Row(0)[c], stats.Row(1)[c]) = (mean, rstd);
            runningMean.Data[c] = MathF.FusedMultiplyAdd(momentum, mean - runningMean.Data[c], runningMean.Data[c]);
            runningVar.Data[c] = MathF.FusedMultiplyAdd(
                momentum,
                squares / (rows - 1) - runningVar.Data[c],
                runningVar.Data[c]
            );
        }
    }

    internal static void Evaluate(Mat y, Mat x, Mat runningMean, Mat runningVar, Mat weight, Mat bias, float eps)
    {
        for (int r = 0; r < x.Rows; r++)
        for (int c = 0; c < x.Cols; c++)
            y.Row(r)[c] = MathF.FusedMultiplyAdd(
                (x.Row(r)[c] - runningMean.Data[c]) * Unary.Rsqrt(runningVar.Data[c] + eps),
                weight.Data[c],
                bias.Data[c]
            );
    }

    internal static void Backward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    )
    {
        int rows = x.Rows;
        for (int c = 0; c < x.Cols; c++)
        {
            float mean = stats.Row(0)[c];
            float rstd = stats.Row(1)[c];
            float[] s1 = new float[rows / grain];
            float[] s2 = new float[rows / grain];
            for (int r = 0; r < rows; r++)
            {
                s1[r / grain] += dy.Row(r)[c];
                s2[r / grain] = MathF.FusedMultiplyAdd(dy.Row(r)[c], (x.Row(r)[c] - mean) * rstd, s2[r / grain]);
            }
            for (int g = 0; g < s1.Length; g++)
                (dBiasParts.Row(g)[c], dWeightParts.Row(g)[c]) = (s1[g] + 0f, s2[g] + 0f);
            float a = TreeOracle.Sum(s1) / rows;
            float b = TreeOracle.Sum(s2) / rows;
            float k = weight.Data[c] * rstd;
            for (int r = 0; r < rows; r++)
                dx.Row(r)[c] = k * (dy.Row(r)[c] - a - (x.Row(r)[c] - mean) * rstd * b);
        }
    }

    /// <summary>A chain inside each grain, T over the grains.</summary>
    private static float Sum(int rows, int grain, Func<int, float, float> step)
    {
        var parts = new float[rows / grain];
        for (int r = 0; r < rows; r++)
            parts[r / grain] = step(r, parts[r / grain]);
        for (int g = 0; g < parts.Length; g++)
            parts[g] += 0f;
        return TreeOracle.Sum(parts);
    }
}
