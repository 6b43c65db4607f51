using LutNative.Interop;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>
/// A CUDA GPU in --math run-to-run: products of bfloat16 (or TF32) by cuBLASLt, batch norm by cuDNN, attention by a
/// kernel of our own on tensor cores; everything else, and all master values, in binary32 by the kernels of the exact
/// device. Deterministic algorithms only: the same GPU model and library versions repeat their bits, other ones need
/// not (docs/NUMERICS.md, levels of math). Products, attention and batch norm ask for it in their Cuda methods.
/// </summary>
public sealed unsafe class RunToRunDevice : CudaDevice
{
    private CudaDeviceMemory? left;
    private CudaDeviceMemory? right;

    /// <param name="type">What products read: bfloat16, or binary32 as TF32.</param>
    public RunToRunDevice(
        ICudaDriver driver,
        ICublasLt blas,
        ICudnn cudnn,
        int ordinal,
        string name,
        CudaDataType type = CudaDataType.BFloat16
    )
        : base(driver, ordinal, name)
    {
        try
        {
            Type = type;
            Blas = new CudaBlasLt(Context, blas);
            Dnn = new CudaDnn(Context, cudnn);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public CudaDataType Type { get; }
    internal CudaBlasLt Blas { get; }
    internal CudaDnn Dnn { get; }

    /// <summary>
    /// "run-to-run bf16 on NVIDIA H200, cublasLt 120804, cudnn 91200": whoever has the same has the same bits.
    /// </summary>
    public override string? Level =>
        $"run-to-run {(Type == CudaDataType.BFloat16 ? "bf16" : "tf32")} on "
        + $"{Context.DeviceName[(Context.DeviceName.IndexOf(' ', StringComparison.Ordinal) + 1)..]}, "
        + $"{Blas.Version}, {Dnn.Version}";

    public override bool SumsByGrain => false;

    /// <summary>The largest score of a row and one over the sum of its exponentials.</summary>
    internal override int AttentionKept(int tokens) => 2;

    /// <summary>Memory of a left operand, in the shape of x.</summary>
    internal Mat LikeLeft(Mat x) => new((float*)Reuse(ref left, x.Count * sizeof(float)), x.Rows, x.Cols);

    /// <summary>
    /// A left or right operand as products read it: a copy in bfloat16, or the tensor itself. Good until the next one
    /// of its side is asked for.
    /// </summary>
    internal ulong Operand(Mat x, bool isLeft)
    {
        if (Type == CudaDataType.Float32)
            return (ulong)x.Data;
        long bytes = (x.Count + 1) / 2 * 4;
        void* to = isLeft ? Reuse(ref left, bytes) : Reuse(ref right, bytes);
        Elements("bf16_cast", "bf16_cast", x.Count, 8, Argument.Tensor(to, bytes), x, x.Count);
        return (ulong)to;
    }
}
