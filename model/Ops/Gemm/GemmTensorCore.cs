using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Products by cuBLASLt (--math run-to-run). A row-major matrix is the library's column-major one transposed, so y = x
/// W^T is asked for as y^T = W x^T; bias and residual are the library's epilogue and C, GELU is our own kernel (theirs
/// is the tanh approximation).
/// </summary>
internal static unsafe class GemmTensorCore
{
    internal static void Nt(RunToRunDevice d, Mat y, Mat x, Weight w, in Epilogue e)
    {
        var shape = new MatmulShape(
            d.Type,
            TransA: true,
            TransB: false,
            y.Cols,
            y.Rows,
            x.Cols,
            Lda: x.Cols,
            Ldb: x.Cols,
            Ldc: y.Cols,
            1,
            0,
            0,
            0,
            false,
            false
        );
        Run(d, shape, y, d.Operand(w.Values, isLeft: true), d.Operand(x, isLeft: false), e);
    }

    internal static void Nn(RunToRunDevice d, Mat dx, Mat dy, Weight w, in Epilogue e)
    {
        var shape = new MatmulShape(
            d.Type,
            TransA: false,
            TransB: false,
            dx.Cols,
            dx.Rows,
            dy.Cols,
            Lda: dx.Cols,
            Ldb: dy.Cols,
            Ldc: dx.Cols,
            1,
            0,
            0,
            0,
            false,
            false
        );
        Run(d, shape, dx, d.Operand(w.Values, isLeft: true), d.Operand(dy, isLeft: false), e);
    }

    /// <summary>dw [leaves*N, K] from dy [leaves*rows, N] and x [leaves*rows, K], a product each.</summary>
    internal static void Tn(RunToRunDevice d, Mat dw, Mat dy, Mat x, bool accumulate)
    {
        int leaves = dw.Rows / dy.Cols;
        int rows = dy.Rows / leaves;
        var shape = new MatmulShape(
            d.Type,
            TransA: false,
            TransB: true,
            x.Cols,
            dy.Cols,
            rows,
            Lda: x.Cols,
            Ldb: dy.Cols,
            Ldc: x.Cols,
            leaves,
            (long)rows * x.Cols,
            (long)rows * dy.Cols,
            (long)dy.Cols * x.Cols,
            accumulate,
            false
        );
        Run(d, shape, dw, d.Operand(x, isLeft: true), d.Operand(dy, isLeft: false), Epilogue.None);
    }

    private static Work WorkOf(RunToRunDevice d, in MatmulShape s)
    {
        bool half = d.Type == CudaDataType.BFloat16;
        double operands = ((double)s.M * s.K + (double)s.N * s.K) * s.Batch;
        double results = (double)s.M * s.N * s.Batch * (s.Accumulate ? 2 : 1);
        return new Work(
            2.0 * s.M * s.N * s.K * s.Batch,
            (half ? 2 : 4) * operands + 4 * results,
            half ? Unit.TensorCoreBf16 : Unit.TensorCoreTf32
        );
    }

    private static void Run(RunToRunDevice d, MatmulShape shape, Mat y, ulong a, ulong b, in Epilogue e)
    {
        if (y.Count == 0)
            return;
        bool bias = e.Kind is EpilogueKind.Bias or EpilogueKind.BiasResidual or EpilogueKind.BiasGelu;
        if (e.Kind == EpilogueKind.BiasResidual)
            shape = shape with { Accumulate = true };
        Mat to = e.Kind == EpilogueKind.BiasGelu && !e.Pre.IsEmpty ? e.Pre : y;
        ulong c = e.Kind == EpilogueKind.BiasResidual ? (ulong)e.Residual.Data : (ulong)to.Data;
        d.Queue.Call(
            d.Blas.Matmul(shape with { Bias = bias }, a, b, c, (ulong)to.Data, (ulong)e.Bias.Data),
            WorkOf(d, shape),
            a,
            b,
            c,
            (ulong)to.Data,
            (ulong)e.Bias.Data
        );
        if (e.Kind == EpilogueKind.BiasGelu)
            d.Run(new GeluForwardOp(y, e.Erf, to));
        else if (e.Kind == EpilogueKind.GeluBackward)
            d.Run(new GeluBackwardOp(y, y, e.Pre, e.Erf));
    }
}
