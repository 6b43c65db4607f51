using LutNative.Model.Devices;
using LutNative.Model.Numerics;
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
        device.Run(new BatchNormForwardOp(y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps));
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
        device.Run(new BatchNormEvaluateOp(y, x, runningMean, runningVar, weight, bias, eps));
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
        device.Run(new BatchNormBackwardOp(dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain));
    }
}

internal readonly record struct BatchNormForwardOp(
    Mat Y,
    Mat Stats,
    Mat RunningMean,
    Mat RunningVar,
    Mat X,
    Mat Weight,
    Mat Bias,
    int Grain,
    float Momentum,
    float Eps
) : IOperation
{
    public static OpId Id => OpId.BatchNormForward;
    public Mat Parameter => RunningMean;
    public (string Name, Mat Value)[] Outputs =>
        [("y", Y), ("stats", Stats), ("running_mean", RunningMean), ("running_var", RunningVar)];

    public void Oracle() =>
        BatchNormOracle.Forward(Y, Stats, RunningMean, RunningVar, X, Weight, Bias, Grain, Momentum, Eps);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> =>
        BatchNormCpu<V, L>.Forward(Y, Stats, RunningMean, RunningVar, X, Weight, Bias, Grain, Momentum, Eps);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            BatchNormCudnn.Forward(libraries, Y, Stats, RunningMean, RunningVar, X, Weight, Bias, Momentum, Eps);
        else
            BatchNormCuda.Forward(device, Y, Stats, RunningMean, RunningVar, X, Weight, Bias, Grain, Momentum, Eps);
    }
}

internal readonly record struct BatchNormEvaluateOp(
    Mat Y,
    Mat X,
    Mat RunningMean,
    Mat RunningVar,
    Mat Weight,
    Mat Bias,
    float Eps
) : IOperation
{
    public static OpId Id => OpId.BatchNormEvaluate;
    public Mat Parameter => RunningMean;
    public (string Name, Mat Value)[] Outputs => [("y", Y)];

    public void Oracle() => BatchNormOracle.Evaluate(Y, X, RunningMean, RunningVar, Weight, Bias, Eps);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => BatchNormCpu<V, L>.Evaluate(Y, X, RunningMean, RunningVar, Weight, Bias, Eps);

    public void Cuda(CudaDevice device) =>
        BatchNormCuda.Evaluate(device, Y, X, RunningMean, RunningVar, Weight, Bias, Eps);
}

internal readonly record struct BatchNormBackwardOp(
    Mat Dx,
    Mat DWeightParts,
    Mat DBiasParts,
    Mat Dy,
    Mat X,
    Mat Stats,
    Mat Weight,
    int Grain
) : IOperation
{
    public static OpId Id => OpId.BatchNormBackward;
    public Mat Parameter => Weight;
    public (string Name, Mat Value)[] Outputs => [("dx", Dx), ("dWeight", DWeightParts), ("dBias", DBiasParts)];

    public void Oracle() => BatchNormOracle.Backward(Dx, DWeightParts, DBiasParts, Dy, X, Stats, Weight, Grain);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> =>
        BatchNormCpu<V, L>.Backward(Dx, DWeightParts, DBiasParts, Dy, X, Stats, Weight, Grain);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            BatchNormCudnn.Backward(libraries, Dx, DWeightParts, DBiasParts, Dy, X, Stats, Weight);
        else
            BatchNormCuda.Backward(device, Dx, DWeightParts, DBiasParts, Dy, X, Stats, Weight, Grain);
    }
}
