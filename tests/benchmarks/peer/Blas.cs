using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Peer;

/// <summary>
/// Our matrix products beside OpenBLAS's on the shapes of ViT-B's step (../shared research: 50 and 197 tokens),
/// forward, dX and dW, interleaved.
/// </summary>
internal static unsafe partial class Blas
{
    private const string Library = "libopenblas.so.0";

    [LibraryImport(Library, EntryPoint = "cblas_sgemm")]
    private static partial void Sgemm(
        int order,
        int transA,
        int transB,
        int m,
        int n,
        int k,
        float alpha,
        float* a,
        int lda,
        float* b,
        int ldb,
        float beta,
        float* c,
        int ldc
    );

    [LibraryImport(Library, EntryPoint = "openblas_get_corename")]
    private static partial nint CoreName();

    [LibraryImport(Library, EntryPoint = "openblas_set_num_threads")]
    private static partial void SetThreads(int n);

    /// <summary>
    /// Prints one row a shape: GFLOP/s of both (best of the samples) and our share; returns the worst ratio.
    /// </summary>
    internal static double Compare(int threads, int samples, bool quick)
    {
        SetThreads(threads);
        using var pool = new Pool(threads);
        Device device = Cpu.Best();
        Console.WriteLine($"OpenBLAS kernels: {Marshal.PtrToStringAnsi(CoreName())}");
        double worst = double.MaxValue;
        // rows: 128 images at 50 tokens, 16 and 64 images at 197 (decoder and teacher), as in research/CPU.md
        foreach (
            var (rows, tokens) in quick ? [(6400, 50)] : new[] { (400, 50), (6400, 50), (1576, 197), (25216, 197) }
        )
        foreach (var (outputs, inputs) in new[] { (2304, 768), (768, 768), (3072, 768), (768, 3072) })
        foreach (string kind in new[] { "fwd", "dX", "dW" })
        {
            var (ours, theirs) = Pair(pool, device, kind, rows, outputs, inputs, samples);
            worst = Math.Min(worst, ours / theirs);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{threads} thread(s)  {tokens, 3} tokens  {kind, -3} {rows, 5} x {outputs, 4} x "
                        + $"{inputs, 4}  ours {ours / 1e9, 5:f0}  OpenBLAS {theirs / 1e9, 5:f0} GFLOP/s  ratio "
                        + $"{ours / theirs:f3}"
                )
            );
        }
        return worst;
    }

    private static (double Ours, double Theirs) Pair(
        Pool pool,
        Device device,
        string kind,
        int rows,
        int outputs,
        int inputs,
        int samples
    )
    {
        using var arena = new Arena();
        Mat x = Noise(arena, rows, inputs);
        Mat y = Noise(arena, rows, outputs);
        Mat w = Noise(arena, outputs, inputs);
        Mat result = Noise(arena, outputs, inputs);
        var packed = Weight.For(device, arena, w);
        // weights are packed once a step and used for every grain and view of it, so packing is not part of the product
        packed.PackForward(device);
        packed.PackBackward(device);
        Action product = kind switch
        {
            "fwd" => () => Gemm.Nt(device, y, x, packed, Epilogue.None),
            "dX" => () => Gemm.Nn(device, x, y, packed, Epilogue.None),
            _ => () => Gemm.Tn(device, result, y, x, accumulate: false),
        };
        // one item on all threads: they share its outputs, as they do where a step has fewer grains than threads
        Action ours = () => pool.Run(1, (_, _) => product());
        const int RowMajor = 101;
        const int Plain = 111;
        const int Transposed = 112;
        Action theirs = kind switch
        {
            "fwd" => () =>
                Sgemm(
                    RowMajor,
                    Plain,
                    Transposed,
                    rows,
                    outputs,
                    inputs,
                    1f,
                    x.Data,
                    inputs,
                    w.Data,
                    inputs,
                    0f,
                    y.Data,
                    outputs
                ),
            "dX" => () =>
                Sgemm(
                    RowMajor,
                    Plain,
                    Plain,
                    rows,
                    inputs,
                    outputs,
                    1f,
                    y.Data,
                    outputs,
                    w.Data,
                    inputs,
                    0f,
                    x.Data,
                    inputs
                ),
            _ => () =>
                Sgemm(
                    RowMajor,
                    Transposed,
                    Plain,
                    outputs,
                    inputs,
                    rows,
                    1f,
                    y.Data,
                    outputs,
                    x.Data,
                    inputs,
                    0f,
                    result.Data,
                    inputs
                ),
        };
        double flops = 2.0 * rows * outputs * inputs;
        double best = 0;
        double other = 0;
        int repeat = Math.Max(1, (int)(4e9 / flops));
        for (int i = 0; i < samples; i++)
        {
            best = Math.Max(best, flops / Time(ours, repeat));
            // OpenBLAS's threads spin for a while after a call, on the core that our second thread needs
            other = Math.Max(other, flops / Time(theirs, repeat));
            if (pool.Workers > 1)
                Thread.Sleep(300);
        }
        return (best, other);
    }

    private static double Time(Action run, int repeat)
    {
        run();
        long before = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeat; i++)
            run();
        return Stopwatch.GetElapsedTime(before).TotalSeconds / repeat;
    }

    private static Mat Noise(Arena arena, int rows, int cols)
    {
        Mat m = arena.Matrix(rows, cols);
        uint state = 12345;
        foreach (ref float f in m.Span)
            f = ((state = state * 1664525 + 1013904223) >> 8) / 16777216f - 0.5f;
        return m;
    }
}
