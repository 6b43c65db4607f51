using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Batch normalisation of rows (samples) over one BN batch, its sums a chain inside each grain and T over grains.
/// <para>Computes: y = (x - mean) * rstd * weight + bias per channel; evaluation uses the running statistics.</para>
/// <para>Shapes: y, x, dy, dx [B, C], B a multiple of grain; stats [2, C] = (mean, rstd); weight, bias, runningMean,
/// runningVar [1, C]; parts [B/grain, C] each. y may be x in Evaluate only; dx may be dy.</para>
/// <para>Order: mean = T(chain x)/B; c = x - mean; var = T(chain fma(c, c))/B; rstd = cr_rsqrt(var + eps); xhat =
/// c*rstd; y = fma(xhat, weight, bias). Running statistics: fma(momentum, stat - running, running), the variance
/// T(...)/(B - 1). Backward: dBiasParts = chain dy, dWeightParts = chain fma(dy, xhat) per grain; s1 = T(dBiasParts)/B,
/// s2 = T(dWeightParts)/B; dx = (weight*rstd) * ((dy - s1) - xhat*s2).</para>
/// <para>Gradients: dx and both parts overwritten; the caller adds a grain's parts to that grain's leaf
/// gradient.</para>
/// <para>Source: Ioffe and Szegedy 2015; torch.nn.BatchNorm1d; docs/NUMERICS.md rules 3 and 8.</para>
/// </summary>
public static class BatchNorm
{
    public static void Forward(
        Device device,
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
        y.Require(x.Rows, x.Cols);
        stats.Require(2, x.Cols);
        runningMean.Require(1, x.Cols);
        runningVar.Require(1, x.Cols);
        weight.Require(1, x.Cols);
        bias.Require(1, x.Cols);
        device.BatchNormForward(y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);
    }

    public static void Evaluate(
        Device device,
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    )
    {
        y.Require(x.Rows, x.Cols);
        runningMean.Require(1, x.Cols);
        runningVar.Require(1, x.Cols);
        device.BatchNormEvaluate(y, x, runningMean, runningVar, weight, bias, eps);
    }

    public static void Backward(
        Device device,
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
        dx.Require(x.Rows, x.Cols);
        dy.Require(x.Rows, x.Cols);
        dWeightParts.Require(x.Rows / grain, x.Cols);
        dBiasParts.Require(x.Rows / grain, x.Cols);
        device.BatchNormBackward(dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);
    }
}
