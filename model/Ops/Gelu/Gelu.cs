using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Exact GELU.
/// <para>Computes: y = x Phi(x).</para>
/// <para>Shapes: all [M, N]; y may be x in Forward when erf is empty, dx may be dy.</para>
/// <para>Order: t = x * 0.70710677f; erf = cr_erf(t); y = (0.5f*x) * (1f + erf). Backward: cdf = 0.5f*(1f + erf);
/// pdf = cr_exp(-0.5f*(x*x)) * 0.39894229f; dx = dy * fma(x, pdf, cdf).</para>
/// <para>Gradients: dx overwritten.</para>
/// <para>Source: Hendrycks and Gimpel 2016; torch.nn.GELU(approximate='none'); docs/NUMERICS.md rule 9.</para>
/// </summary>
public static class Gelu
{
    internal const float RootHalf = 0.70710677f; // 3f3504f3
    internal const float PdfScale = 0.39894229f; // 3ecc422a = 1/sqrt(2 pi)

    public static void Forward(Device device, Mat y, Mat erf, Mat x)
    {
        y.Require(x.Rows, x.Cols);
        if (!erf.IsEmpty)
            erf.Require(x.Rows, x.Cols);
        device.Run(new GeluForwardOp(y, erf, x));
    }

    public static void Backward(Device device, Mat dx, Mat dy, Mat x, Mat erf)
    {
        dx.Require(x.Rows, x.Cols);
        dy.Require(x.Rows, x.Cols);
        erf.Require(x.Rows, x.Cols);
        device.Run(new GeluBackwardOp(dx, dy, x, erf));
    }
}

internal readonly record struct GeluForwardOp(Mat Y, Mat Erf, Mat X) : IOperation
{
    public static OpId Id => OpId.GeluForward;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("y", Y), ("erf", Erf)];

    public void Oracle() => GeluOracle.Forward(Y, Erf, X);

    public unsafe void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => GeluCpu<V, L>.Forward(Y.Data, Erf.Data, X.Data, X.Count);

    public void Cuda(CudaDevice device) =>
        device.Elements("elementwise", "gelu_forward", X.Count, 1, Y, Erf, X, X.Count);
}

internal readonly record struct GeluBackwardOp(Mat Dx, Mat Dy, Mat X, Mat Erf) : IOperation
{
    public static OpId Id => OpId.GeluBackward;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("dx", Dx)];

    public void Oracle() => GeluOracle.Backward(Dx, Dy, X, Erf);

    public unsafe void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => GeluCpu<V, L>.Backward(Dx.Data, Dy.Data, X.Data, Erf.Data, X.Count);

    public void Cuda(CudaDevice device) =>
        device.Elements("elementwise", "gelu_backward_all", X.Count, 1, Dx, Dy, X, Erf, X.Count);
}
