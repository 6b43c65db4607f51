using LutNative.Model.Devices;
using LutNative.Model.Numerics;
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
        device.Run(new PoolForwardOp(y, x, x.Rows / y.Rows));
    }

    public static void Backward(Device device, Mat dx, Mat dy)
    {
        dy.Require(dy.Rows, dx.Cols);
        device.Run(new PoolBackwardOp(dx, dy, dx.Rows / dy.Rows));
    }
}

internal readonly record struct PoolForwardOp(Mat Y, Mat X, int Tokens) : IOperation
{
    public static OpId Id => OpId.PoolForward;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("y", Y)];

    public void Oracle() => PoolingOracle.Forward(Y, X, Tokens);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => PoolingCpu<V, L>.Forward(Y, X, Tokens);

    public void Cuda(CudaDevice device) => device.Grid("tokens", "pool_forward", Y.Rows, Y.Cols, Y, X, Tokens, Y.Cols);
}

internal readonly record struct PoolBackwardOp(Mat Dx, Mat Dy, int Tokens) : IOperation
{
    public static OpId Id => OpId.PoolBackward;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("dx", Dx)];

    public void Oracle() => PoolingOracle.Backward(Dx, Dy, Tokens);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => PoolingCpu<V, L>.Backward(Dx, Dy, Tokens);

    public void Cuda(CudaDevice device) =>
        device.Grid("tokens", "pool_backward", Dx.Rows, Dx.Cols, Dx, Dy, Tokens, Dx.Cols);
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
