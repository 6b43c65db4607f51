using System.Runtime.InteropServices;
using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>native/kernels/gemm.cu: chooses a tile and launches.</summary>
internal static unsafe class GemmCuda
{
    /// <summary>The kernel's struct Product, field for field.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Product
    {
        public float* C;
        public float* A;
        public float* B;
        public float* Bias;
        public float* Residual;
        public float* Pre;
        public float* Erf;
        public long AOuter;
        public long AInner;
        public long BOuter;
        public long BInner;
        public long COuter;
        public long CInner;
        public int M;
        public int N;
        public int K;
        public int Lda;
        public int Ldb;
        public int Ldc;
        public int Inner;
        public int Epilogue;
        public int Accumulate;
        public float Scale;
    }

    /// <summary>
    /// Rows, columns, threads and how fast a full device of such tiles is beside the largest (our estimate: loads for
    /// each product).
    /// </summary>
    private static readonly (int Rows, int Columns, int Threads, double Speed)[] Tiles =
    [
        (128, 128, 256, 1.0),
        (128, 64, 128, 0.95),
        (64, 64, 128, 0.85),
    ];

    internal static void Nt(CudaDevice d, Mat y, Mat x, Weight w, in Epilogue e) =>
        Run(
            d,
            "nt",
            With(
                new Product
                {
                    C = y.Data,
                    A = x.Data,
                    B = w.Values.Data,
                    M = y.Rows,
                    N = y.Cols,
                    K = x.Cols,
                    Lda = x.Cols,
                    Ldb = x.Cols,
                    Ldc = y.Cols,
                },
                e
            ),
            1,
            1
        );

    internal static void Nn(CudaDevice d, Mat dx, Mat dy, Weight w, in Epilogue e) =>
        Run(
            d,
            "nn",
            With(
                new Product
                {
                    C = dx.Data,
                    A = dy.Data,
                    B = w.Values.Data,
                    M = dx.Rows,
                    N = dx.Cols,
                    K = dy.Cols,
                    Lda = dy.Cols,
                    Ldb = dx.Cols,
                    Ldc = dx.Cols,
                },
                e
            ),
            1,
            1
        );

    /// <summary>dw [leaves*N, K]: each leaf's chains run over its own rows.</summary>
    internal static void Tn(CudaDevice d, Mat dw, Mat dy, Mat x, bool accumulate)
    {
        int leaves = dw.Rows / dy.Cols;
        int rows = dy.Rows / leaves;
        Run(
            d,
            "tn",
            new Product
            {
                C = dw.Data,
                A = dy.Data,
                B = x.Data,
                M = dy.Cols,
                N = x.Cols,
                K = rows,
                Lda = dy.Cols,
                Ldb = x.Cols,
                Ldc = x.Cols,
                Accumulate = accumulate ? 1 : 0,
                AOuter = (long)rows * dy.Cols,
                BOuter = (long)rows * x.Cols,
                COuter = (long)dy.Cols * x.Cols,
                Scale = 1f,
            },
            leaves,
            1
        );
    }

    /// <summary>A batch of outer x inner products.</summary>
    internal static void Run(CudaDevice d, string layout, Product p, int outer, int inner)
    {
        if (p.M == 0 || p.N == 0)
            return;
        p.Inner = inner;
        if (p.Scale == 0f)
            p.Scale = 1f;
        var (rows, columns, threads, _) = Tiles.MaxBy(t =>
            Efficiency(p, outer * inner, t.Rows, t.Columns, d.Multiprocessors) * t.Speed
        );
        double share = Efficiency(p, outer * inner, rows, columns, d.Multiprocessors);
        const int MostBatches = 65535 / 64 * 64;
        for (int first = 0; first < outer; first += MostBatches / inner)
        {
            var part = p;
            int n = Math.Min(outer - first, MostBatches / inner);
            part.A += first * p.AOuter;
            part.B += first * p.BOuter;
            part.C += first * p.COuter;
            d.Launch(
                d.Kernel("gemm", FormattableString.Invariant($"gemm_{layout}_{rows}x{columns}")),
                (CudaDevice.Blocks(p.N, columns), CudaDevice.Blocks(p.M, rows), n * inner),
                threads,
                WorkOf(p, n * inner) with
                {
                    Share = share,
                },
                Argument.Struct(&part)
            );
        }
    }

    /// <summary>Operands and result once, with what the epilogue reads and writes besides.</summary>
    private static Work WorkOf(in Product p, int batch)
    {
        double results =
            (double)p.M * p.N * batch * (1 + (p.Residual == null ? 0 : 1) + (p.Pre == null ? 0 : 2) + p.Accumulate);
        return new Work(2.0 * p.M * p.N * p.K * batch, 4 * (results + ((double)p.M * p.K + (double)p.N * p.K) * batch));
    }

    private static Product With(Product p, in Epilogue e)
    {
        p.Epilogue = (int)e.Kind;
        p.Bias = e.Bias.Data;
        p.Residual = e.Residual.Data;
        p.Pre = e.Pre.Data;
        p.Erf = e.Erf.Data;
        return p;
    }

    /// <summary>
    /// The share of a device's time that goes into wanted elements: ragged tiles, and the last wave's empty
    /// multiprocessors, go into others.
    /// </summary>
    private static double Efficiency(in Product p, int batch, int rows, int columns, int multiprocessors)
    {
        double tiles = (double)CudaDevice.Blocks(p.M, rows) * CudaDevice.Blocks(p.N, columns) * batch;
        return (double)p.M
            * p.N
            * batch
            / (tiles * rows * columns)
            * (tiles / (Math.Ceiling(tiles / multiprocessors) * multiprocessors));
    }
}
