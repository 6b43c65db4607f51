using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Mean of a sequence's patch tokens (row 0, the class token, excluded).
/// <para>Computes: y[s] = sum of x[s, 1..N-1] / (N-1).</para>
/// <para>Shapes: x, dx [S*N, D]; y, dy [S, D].</para>
/// <para>Order: a chain over ascending tokens from +0, + (+0), then one division. Backward: dx = dy / (N-1) for patch
/// tokens, +0 for the class token.</para>
/// <para>Gradients: dx overwritten.</para>
/// <para>Source: LUT models_lut.py:295-301; MAE models_vit.py forward_features.</para>
/// </summary>
public static class Pooling
{
    public static void Forward(Device device, Mat y, Mat x)
    {
        y.Require(y.Rows, x.Cols);
        device.PoolForward(y, x, x.Rows / y.Rows);
    }

    public static void Backward(Device device, Mat dx, Mat dy)
    {
        dy.Require(dy.Rows, dx.Cols);
        device.PoolBackward(dx, dy, dx.Rows / dy.Rows);
    }
}

internal static unsafe class PoolingOracle
{
    internal static void Forward(Mat y, Mat x, int tokens)
    {
        for (int s = 0; s < y.Rows; s++)
        for (int c = 0; c < y.Cols; c++)
        {
            float acc = 0f;
            for (int t = 1; t < tokens; t++)
                acc += x.Row(s * tokens + t)[c];
            y.Row(s)[c] = (acc + 0f) / (tokens - 1);
        }
    }

    internal static void Backward(Mat dx, Mat dy, int tokens)
    {
        for (int s = 0; s < dy.Rows; s++)
        for (int t = 0; t < tokens; t++)
        for (int c = 0; c < dy.Cols; c++)
            dx.Row(s * tokens + t)[c] = t == 0 ? 0f : dy.Row(s)[c] / (tokens - 1);
    }
}
