using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// native/kernels/layer_norm.cu. dWeight and dBias [leaves, D]: each leaf's chain runs over its own rows.
/// </summary>
internal static unsafe class LayerNormCuda
{
    internal static void Forward(CudaDevice d, Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps) =>
        d.Rows("layer_norm", "layer_norm_forward", x.Rows, y, stats, x, weight, bias, x.Rows, x.Cols, eps);

    internal static void Backward(
        CudaDevice d,
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
        // first, because dx may be dy
        d.Columns(
            "layer_norm",
            "layer_norm_parameters",
            x.Cols,
            dWeight.Rows,
            64,
            dWeight,
            dBias,
            dy,
            x,
            stats,
            x.Rows / dWeight.Rows,
            x.Cols
        );
        d.Rows("layer_norm", "layer_norm_backward", x.Rows, dx, dy, x, stats, weight, residual, x.Rows, x.Cols);
    }
}
