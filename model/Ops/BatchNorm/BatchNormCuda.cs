using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>native/kernels/batch_norm.cu.</summary>
internal static unsafe class BatchNormCuda
{
    internal static void Forward(
        CudaDevice d,
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
    ) =>
        d.Columns(
            "batch_norm",
            "batch_norm_forward",
            x.Cols,
            1,
            64,
            y,
            stats,
            runningMean,
            runningVar,
            x,
            weight,
            bias,
            d.Scratch((long)x.Rows / grain * x.Cols),
            x.Rows,
            x.Cols,
            grain,
            momentum,
            eps
        );

    internal static void Evaluate(
        CudaDevice d,
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    ) =>
        d.Columns(
            "batch_norm",
            "batch_norm_evaluate",
            x.Cols,
            1,
            64,
            y,
            x,
            runningMean,
            runningVar,
            weight,
            bias,
            x.Rows,
            x.Cols,
            eps
        );

    internal static void Backward(
        CudaDevice d,
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    ) =>
        d.Columns(
            "batch_norm",
            "batch_norm_backward",
            x.Cols,
            1,
            64,
            dx,
            dWeightParts,
            dBiasParts,
            dy,
            x,
            stats,
            weight,
            d.Scratch(2L * x.Rows / grain * x.Cols),
            x.Rows,
            x.Cols,
            grain
        );
}
