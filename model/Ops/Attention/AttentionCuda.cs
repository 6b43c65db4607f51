using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Attention as batches of products over (sequence, head) and native/kernels/softmax.cu between them.
/// </summary>
internal static unsafe class AttentionCuda
{
    internal static void Forward(CudaDevice device, Mat output, Mat prob, Mat qkv, int n, int heads, float scale)
    {
        var s = new Shape(qkv, n, heads);
        float* p = prob.IsEmpty ? device.Scratch((long)qkv.Rows * heads * n) : prob.Data;
        GemmCuda.Run(
            device,
            "nt",
            Shape.With(p, s.Score, qkv.Data, s.Token, qkv.Data + s.D, s.Token, n, n, s.E) with
            {
                Scale = scale,
            },
            s.Sequences,
            heads
        );
        device.Rows(
            "softmax",
            "softmax_forward",
            (long)qkv.Rows * heads,
            KernelArgument.Updated(new Mat(p, qkv.Rows * heads, n)),
            qkv.Rows * heads,
            n
        );
        GemmCuda.Run(
            device,
            "nn",
            Shape.With(output.Data, s.Out, p, s.Score, qkv.Data + 2 * s.D, s.Token, n, s.E, n),
            s.Sequences,
            heads
        );
    }

    internal static void Backward(
        CudaDevice device,
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int n,
        int heads,
        float scale
    )
    {
        var s = new Shape(qkv, n, heads);
        float* da = device.Scratch((long)qkv.Rows * heads * n);
        GemmCuda.Run(
            device,
            "nt",
            Shape.With(da, s.Score, dOutput.Data, s.Out, qkv.Data + 2 * s.D, s.Token, n, n, s.E),
            s.Sequences,
            heads
        );
        device.Rows(
            "softmax",
            "softmax_backward",
            (long)qkv.Rows * heads,
            KernelArgument.Updated(new Mat(da, qkv.Rows * heads, n)),
            prob,
            qkv.Rows * heads,
            n,
            scale
        );
        GemmCuda.Run(
            device,
            "nn",
            Shape.With(dQkv.Data, s.Token, da, s.Score, qkv.Data + s.D, s.Token, n, s.E, n),
            s.Sequences,
            heads
        );
        GemmCuda.Run(
            device,
            "tn",
            Shape.With(dQkv.Data + s.D, s.Token, da, s.Score, qkv.Data, s.Token, n, s.E, n),
            s.Sequences,
            heads
        );
        GemmCuda.Run(
            device,
            "tn",
            Shape.With(dQkv.Data + 2 * s.D, s.Token, prob.Data, s.Score, dOutput.Data, s.Out, n, s.E, n),
            s.Sequences,
            heads
        );
    }

    /// <summary>
    /// How a matrix of one head lies in a tensor: row length, and steps from sequence to sequence and head to head.
    /// </summary>
    private readonly record struct Layout(int Row, long Sequence, long Head);

    private readonly struct Shape(Mat qkv, int n, int heads)
    {
        public readonly int D = qkv.Cols / 3;
        public readonly int E = qkv.Cols / 3 / heads;
        public readonly int Sequences = qkv.Rows / n;

        /// <summary>q, k or v inside [S*N, 3*D]; output [S*N, D]; scores [S*H*N, N].</summary>
        public Layout Token => new(3 * D, (long)n * 3 * D, E);
        public Layout Out => new(D, (long)n * D, E);
        public Layout Score => new(n, (long)heads * n * n, (long)n * n);

        public static GemmCuda.Product With(
            float* c,
            Layout lc,
            float* a,
            Layout la,
            float* b,
            Layout lb,
            int m,
            int columns,
            int k
        ) =>
            new()
            {
                C = c,
                A = a,
                B = b,
                M = m,
                N = columns,
                K = k,
                Lda = la.Row,
                Ldb = lb.Row,
                Ldc = lc.Row,
                Scale = 1f,
                AOuter = la.Sequence,
                AInner = la.Head,
                BOuter = lb.Sequence,
                BInner = lb.Head,
                COuter = lc.Sequence,
                CInner = lc.Head,
            };
    }
}
