using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class LayerNormOracle
{
    internal static void Forward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps)
    {
        int d = x.Cols;
        for (int r = 0; r < x.Rows; r++)
        {
            float mean = LaneSumOracle.Sum(new ReadOnlySpan<float>(x.Row(r), d)) / d;
            var c = new float[d];
            for (int j = 0; j < d; j++)
                c[j] = x.Row(r)[j] - mean;
            float rstd = Unary.Rsqrt(LaneSumOracle.Dot(c, c) / d + eps);
            for (int j = 0; j < d; j++)
                y.Row(r)[j] = MathF.FusedMultiplyAdd(c[j] * rstd, weight.Data[j], bias.Data[j]);
            (stats.Row(r)[0], stats.Row(r)[1]) = (mean, rstd);
        }
    }

    internal static void Backward(Mat dx, Mat dWeight, Mat dBias, Mat dy, Mat x, Mat stats, Mat weight, Mat residual)
    {
        int d = x.Cols;
        for (int r = 0; r < x.Rows; r++)
        {
            float mean = stats.Row(r)[0];
            float rstd = stats.Row(r)[1];
            float[] g = new float[d];
            float[] xhat = new float[d];
            for (int j = 0; j < d; j++)
            {
                g[j] = dy.Row(r)[j] * weight.Data[j];
                xhat[j] = (x.Row(r)[j] - mean) * rstd;
                dWeight.Data[j] = MathF.FusedMultiplyAdd(dy.Row(r)[j], xhat[j], dWeight.Data[j]);
                dBias.Data[j] = dBias.Data[j] + dy.Row(r)[j];
            }
            float a = LaneSumOracle.Sum(g) / d;
            float b = LaneSumOracle.Dot(g, xhat) / d;
            for (int j = 0; j < d; j++)
            {
                float v = rstd * (g[j] - a - xhat[j] * b);
                dx.Row(r)[j] = residual.IsEmpty ? v : residual.Row(r)[j] + v;
            }
        }
        for (int j = 0; j < d; j++)
            (dWeight.Data[j], dBias.Data[j]) = (dWeight.Data[j] + 0f, dBias.Data[j] + 0f);
    }
}
