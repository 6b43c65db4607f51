using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>native/kernels/bf16_attention.cu (--math run-to-run): fused, in tiles of 16, 32 or 64 channels.</summary>
internal static unsafe class AttentionTensorCore
{
    private const float Log2E = 1.44269504f;
    private const int Rows = 64, Threads = 128, Widest = 64;

    internal static void Forward(RunToRunDevice d, Mat output, Mat kept, Mat qkv, int n, int heads, float scale) =>
        d.Queue.Launch(Kernel(d, "", output.Cols / heads), Grid(qkv, n, heads), Threads, output.Data, kept.Data, qkv.Data, n, heads, qkv.Cols / 3 / heads, scale * Log2E);

    internal static void Backward(RunToRunDevice d, Mat dQkv, Mat dOutput, Mat kept, Mat qkv, int n, int heads, float scale)
    {
        float* delta = d.Scratch((long)qkv.Rows * heads);
        d.Queue.Launch(Kernel(d, "_queries", dOutput.Cols / heads), Grid(qkv, n, heads), Threads, dQkv.Data, delta, dOutput.Data, kept.Data, qkv.Data, n, heads, qkv.Cols / 3 / heads, scale * Log2E, scale);
        d.Queue.Launch(Kernel(d, "_keys", dOutput.Cols / heads), Grid(qkv, n, heads), Threads, dQkv.Data, delta, dOutput.Data, kept.Data, qkv.Data, n, heads, qkv.Cols / 3 / heads, scale * Log2E, scale);
    }

    private static (long, long, long) Grid(Mat qkv, int n, int heads) => (qkv.Rows / n, CudaDevice.Blocks(n, Rows), heads);

    private static Interop.CudaKernel Kernel(RunToRunDevice d, string part, int width)
    {
        if (width > Widest || width % 4 != 0) throw new ShapeException(FormattableString.Invariant($"--math run-to-run has attention for heads of 4, 8, ..., {Widest} channels, not {width}; use --math exact"));
        return d.Kernel("bf16_attention", FormattableString.Invariant($"bf16_attention{part}_{(width <= 16 ? 16 : width <= 32 ? 32 : Widest)}"));
    }
}
