using System.Globalization;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>native/kernels/bf16_attention.cu (--math run-to-run): fused, in tiles of 16, 32 or 64 channels.</summary>
internal static unsafe class AttentionTensorCore
{
    private const float Log2E = 1.44269504f;
    private const int Rows = 64;
    private const int Threads = 128;
    private const int Widest = 64;

    internal static void Forward(RunToRunDevice d, Mat output, Mat kept, Mat qkv, int n, int heads, float scale) =>
        d.Launch(
            Kernel(d, "", output.Cols / heads),
            Grid(qkv, n, heads),
            Threads,
            WorkOf(qkv, n, 2, 16),
            output,
            kept,
            qkv,
            n,
            heads,
            qkv.Cols / 3 / heads,
            scale * Log2E
        );

    internal static void Backward(
        RunToRunDevice d,
        Mat dQkv,
        Mat dOutput,
        Mat kept,
        Mat qkv,
        int n,
        int heads,
        float scale
    )
    {
        float* delta = d.Scratch((long)qkv.Rows * heads);
        d.Launch(
            Kernel(d, "_queries", dOutput.Cols / heads),
            Grid(qkv, n, heads),
            Threads,
            WorkOf(qkv, n, 5, 20),
            dQkv,
            delta,
            dOutput,
            kept,
            qkv,
            n,
            heads,
            qkv.Cols / 3 / heads,
            scale * Log2E,
            scale
        );
        d.Launch(
            Kernel(d, "_keys", dOutput.Cols / heads),
            Grid(qkv, n, heads),
            Threads,
            WorkOf(qkv, n, 4, 24),
            dQkv,
            delta,
            dOutput,
            kept,
            qkv,
            n,
            heads,
            qkv.Cols / 3 / heads,
            scale * Log2E,
            scale
        );
    }

    /// <summary>products: of N x N scores with E channels; bytes: for each element of [S*N, D].</summary>
    private static Work WorkOf(Mat qkv, int n, int products, int bytes) =>
        new(
            2.0 * products * qkv.Rows * n * (qkv.Cols / 3),
            (double)bytes * qkv.Rows * (qkv.Cols / 3),
            Unit.TensorCoreBf16
        );

    private static (long, long, long) Grid(Mat qkv, int n, int heads) =>
        (qkv.Rows / n, CudaDevice.Blocks(n, Rows), heads);

    private static CudaKernel Kernel(RunToRunDevice d, string part, int width)
    {
        if (width > Widest || width % 4 != 0)
            throw new ShapeException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--math run-to-run has attention for heads of 4, 8, ..., {Widest} channels, not {width}; "
                        + $"use --math exact"
                )
            );
        return d.Kernel(
            "bf16_attention",
            FormattableString.Invariant($"bf16_attention{part}_{(width <= 16 ? 16 : width <= 32 ? 32 : Widest)}")
        );
    }
}
