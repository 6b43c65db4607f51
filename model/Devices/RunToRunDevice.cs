using LutNative.Interop;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>
/// A CUDA GPU in --math run-to-run: products of bfloat16 (or TF32) by cuBLASLt, batch norm by cuDNN, attention by a
/// kernel of our own on tensor cores; everything else, and all master values, in binary32 by the kernels of the exact
/// device. Deterministic algorithms only: the same GPU model and library versions repeat their bits, other ones need
/// not (docs/NUMERICS.md, levels of math).
/// </summary>
public sealed unsafe class RunToRunDevice : CudaDevice
{
    private readonly CudaDnn dnn;
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
            dnn = new CudaDnn(Context, cudnn);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public CudaDataType Type { get; }
    internal CudaBlasLt Blas { get; }

    /// <summary>
    /// "run-to-run bf16 on NVIDIA H200, cublasLt 120804, cudnn 91200": whoever has the same has the same bits.
    /// </summary>
    public override string? Level =>
        $"run-to-run {(Type == CudaDataType.BFloat16 ? "bf16" : "tf32")} on {Context.DeviceName[(Context.DeviceName.IndexOf(' ', StringComparison.Ordinal) + 1)..]}, {Blas.Version}, {dnn.Version}";

    public override bool SumsByGrain => false;

    /// <summary>The largest score of a row and one over the sum of its exponentials.</summary>
    internal override int AttentionKept(int tokens) => 2;

    internal override void GemmNt(Mat y, Mat x, Weight w, in Epilogue e) => GemmTensorCore.Nt(this, y, x, w, e);

    internal override void GemmNn(Mat dx, Mat dy, Weight w, in Epilogue e) => GemmTensorCore.Nn(this, dx, dy, w, e);

    internal override void GemmTn(Mat dw, Mat dy, Mat x, bool accumulate) =>
        GemmTensorCore.Tn(this, dw, dy, x, accumulate);

    internal override void AttentionForward(Mat output, Mat kept, Mat qkv, int tokens, int heads, float scale) =>
        AttentionTensorCore.Forward(this, output, kept, qkv, tokens, heads, scale);

    internal override void AttentionBackward(
        Mat dQkv,
        Mat dOutput,
        Mat kept,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    ) => AttentionTensorCore.Backward(this, dQkv, dOutput, kept, qkv, tokens, heads, scale);

    internal override void BatchNormForward(
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
        Queue.Call(
            dnn.BatchNormForward(x.Rows, x.Cols, momentum, eps),
            new Work(0, 8.0 * x.Count),
            (ulong)x.Data,
            (ulong)y.Data,
            (ulong)weight.Data,
            (ulong)bias.Data,
            (ulong)runningMean.Data,
            (ulong)runningVar.Data,
            (ulong)stats.Row(0),
            (ulong)stats.Row(1)
        );

    /// <summary>The whole batch's parameter gradients are the first part; the others are 0.</summary>
    internal override void BatchNormBackward(
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
        Clear(dWeightParts.Data, dWeightParts.Count);
        Clear(dBiasParts.Data, dBiasParts.Count);
        float* to = dx.Data;
        if (dx.Data == dy.Data)
            to = (float*)Room(ref left, dx.Count * sizeof(float)); // cuDNN wants another place for its result
        // the saved statistics hold epsilon already: cuDNN asks for one and does not use it then
        Queue.Call(
            dnn.BatchNormBackward(x.Rows, x.Cols, 1e-5f),
            new Work(0, 12.0 * x.Count),
            (ulong)x.Data,
            (ulong)dy.Data,
            (ulong)to,
            (ulong)weight.Data,
            (ulong)dWeightParts.Data,
            (ulong)dBiasParts.Data,
            (ulong)stats.Row(0),
            (ulong)stats.Row(1)
        );
        if (to != dx.Data)
            Queue.Copy(dx.Data, to, dx.Count * sizeof(float));
    }

    /// <summary>
    /// A left or right operand as products read it: a copy in bfloat16, or the tensor itself. Good until the next one
    /// of its side is asked for.
    /// </summary>
    internal ulong Operand(Mat x, bool isLeft)
    {
        if (Type == CudaDataType.Float32)
            return (ulong)x.Data;
        long bytes = (x.Count + 1) / 2 * 4;
        void* to = isLeft ? Room(ref left, bytes) : Room(ref right, bytes);
        Elements("bf16_cast", "bf16_cast", x.Count, 8, Argument.Tensor(to, bytes), x, x.Count);
        return (ulong)to;
    }
}
