using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Layer normalisation over the channels of each row.
/// <para>Computes: y = (x - mean) * rstd * weight + bias.</para>
/// <para>Shapes: y, x, dy, dx [R, D]; stats [R, 2] = (mean, rstd); weight, bias, dWeight, dBias [1, D] (gradients also
/// [L, D], see Leaves); residual [R, D] or empty. y must not be x; dx may be dy or residual.</para>
/// <para>Order: mean = sum(x)/D; c = x - mean; var = dot(c, c)/D; rstd = cr_rsqrt(var + eps); xhat = c*rstd; y =
/// fma(xhat, weight, bias), sums by the 64 lanes of rule 4. Backward: g = dy*weight; a = sum(g)/D; b = dot(g, xhat)/D;
/// dx = rstd*((g - a) - xhat*b), then residual + dx. Parameter gradients are chains over ascending rows: dWeight =
/// fma(dy, xhat, dWeight), dBias = dBias + dy, each call ending with + (+0).</para>
/// <para>Gradients: dx overwritten; dWeight and dBias continued.</para>
/// <para>Source: Ba et al. 2016; torch.nn.LayerNorm; docs/NUMERICS.md rules 3, 4, 7.</para>
/// </summary>
public static class LayerNorm
{
    public static void Forward(Device device, Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps)
    {
        y.Require(x.Rows, x.Cols);
        stats.Require(x.Rows, 2);
        weight.Require(1, x.Cols);
        bias.Require(1, x.Cols);
        device.Run(new LayerNormForwardOp(y, stats, x, weight, bias, eps));
    }

    public static void Backward(
        Device device,
        Mat dx,
        Mat dWeight,
        Mat dBias,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        Mat residual
    )
    {
        dx.Require(x.Rows, x.Cols);
        dy.Require(x.Rows, x.Cols);
        stats.Require(x.Rows, 2);
        dWeight.Require(dWeight.Rows, x.Cols);
        dBias.Require(dWeight.Rows, x.Cols);
        if (!residual.IsEmpty)
            residual.Require(x.Rows, x.Cols);
        int n = Leaves.Parts(device, dWeight, 1, x.Rows);
        for (int l = 0; l < n; l++)
            device.Run(
                new LayerNormBackwardOp(
                    Leaves.Part(dx, l, n),
                    Leaves.Part(dWeight, l, n),
                    Leaves.Part(dBias, l, n),
                    Leaves.Part(dy, l, n),
                    Leaves.Part(x, l, n),
                    Leaves.Part(stats, l, n),
                    weight,
                    Leaves.Part(residual, l, n)
                )
            );
    }
}

internal readonly record struct LayerNormForwardOp(Mat Y, Mat Stats, Mat X, Mat Weight, Mat Bias, float Eps)
    : IOperation
{
    public static OpId Id => OpId.LayerNormForward;
    public Mat Parameter => Weight;
    public (string Name, Mat Value)[] Outputs => [("y", Y), ("stats", Stats)];

    public void Oracle() => LayerNormOracle.Forward(Y, Stats, X, Weight, Bias, Eps);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => LayerNormCpu<V, L>.Forward(Y, Stats, X, Weight, Bias, Eps);

    public void Cuda(CudaDevice device) => LayerNormCuda.Forward(device, Y, Stats, X, Weight, Bias, Eps);
}

internal readonly record struct LayerNormBackwardOp(
    Mat Dx,
    Mat DWeight,
    Mat DBias,
    Mat Dy,
    Mat X,
    Mat Stats,
    Mat Weight,
    Mat Residual
) : IOperation
{
    public static OpId Id => OpId.LayerNormBackward;
    public Mat Parameter => Weight;
    public (string Name, Mat Value)[] Outputs => [("dx", Dx), ("dWeight", DWeight), ("dBias", DBias)];

    public void Oracle() => LayerNormOracle.Backward(Dx, DWeight, DBias, Dy, X, Stats, Weight, Residual);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => LayerNormCpu<V, L>.Backward(Dx, DWeight, DBias, Dy, X, Stats, Weight, Residual);

    public void Cuda(CudaDevice device) =>
        LayerNormCuda.Backward(device, Dx, DWeight, DBias, Dy, X, Stats, Weight, Residual);
}
