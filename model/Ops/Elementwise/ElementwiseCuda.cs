using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>native/kernels/sums.cu: what takes more than one launch.</summary>
internal static unsafe class ElementwiseCuda
{
    internal static void SquaredNorm(CudaDevice d, Mat norm, Mat x)
    {
        float* parts = d.Scratch(x.Rows);
        d.Rows("sums", "row_squares", x.Rows, parts, x, x.Rows, x.Cols);
        d.Launch(d.Kernel("sums", "tree_sum"), (1, 1, 1), 256, norm, parts, x.Rows);
    }
}
