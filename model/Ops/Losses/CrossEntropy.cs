using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Cross entropy with soft targets (hard labels and label smoothing are targets too).
/// <para>Computes: loss[b] = -sum_c t log softmax(x); dx = (softmax(x) - t) * scale.</para>
/// <para>Shapes: x, dx, target [B, C]; loss [B, 1]. dx may be x.</para>
/// <para>Order: m = max by compare-select, + (+0); e = cr_exp(x - m); s = sum(e) by the 64 lanes; lse = cr_log(s); loss
/// = 0 - dot(t, (x - m) - lse); p = e / s; dx = (p - t) * scale. The batch's loss is T over samples, divided by
/// B.</para>
/// <para>Gradients: dx overwritten.</para>
/// <para>Source: timm 0.4.12 SoftTargetCrossEntropy, LabelSmoothingCrossEntropy; docs/NUMERICS.md rule 9.</para>
/// </summary>
public static class CrossEntropy
{
    public static void Run(Device device, Mat loss, Mat dx, Mat x, Mat target, float scale)
    {
        loss.Require(x.Rows, 1);
        dx.Require(x.Rows, x.Cols);
        target.Require(x.Rows, x.Cols);
        device.Run(new CrossEntropyOp(loss, dx, x, target, scale));
    }
}

internal readonly record struct CrossEntropyOp(Mat Loss, Mat Dx, Mat X, Mat Target, float Scale) : IOperation
{
    public static OpId Id => OpId.CrossEntropy;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("loss", Loss), ("dx", Dx)];

    public void Oracle() => CrossEntropyOracle.Run(Loss, Dx, X, Target, Scale);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => CrossEntropyCpu<V, L>.Run(Loss, Dx, X, Target, Scale);

    public void Cuda(CudaDevice device) =>
        device.Rows("losses", "cross_entropy", X.Rows, Loss, Dx, X, Target, X.Rows, X.Cols, Scale);
}

internal static unsafe class CrossEntropyOracle
{
    internal static void Run(Mat loss, Mat dx, Mat x, Mat target, float scale)
    {
        int n = x.Cols;
        for (int r = 0; r < x.Rows; r++)
        {
            float m = x.Row(r)[0];
            for (int j = 1; j < n; j++)
                m = x.Row(r)[j] > m ? x.Row(r)[j] : m;
            m += 0f;
            float[] e = new float[n];
            float[] logp = new float[n];
            for (int j = 0; j < n; j++)
                e[j] = Unary.Exp(x.Row(r)[j] - m);
            float s = LaneSumOracle.Sum(e);
            float lse = Unary.Log(s);
            for (int j = 0; j < n; j++)
                logp[j] = x.Row(r)[j] - m - lse;
            loss.Data[r] = 0f - LaneSumOracle.Dot(new ReadOnlySpan<float>(target.Row(r), n), logp);
            for (int j = 0; j < n; j++)
                dx.Row(r)[j] = (e[j] / s - target.Row(r)[j]) * scale;
        }
    }
}

internal static unsafe class CrossEntropyCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Run(Mat loss, Mat dx, Mat x, Mat target, float scale)
    {
        int n = x.Cols;
        float* e = stackalloc float[n + 16];
        float* logp = stackalloc float[n];
        for (int r = 0; r < x.Rows; r++)
        {
            float* row = x.Row(r);
            float* t = target.Row(r);
            float m = row[0];
            for (int j = 1; j < n; j++)
                m = row[j] > m ? row[j] : m;
            m += 0f;
            for (int j = 0; j < n; j++)
                e[j] = logp[j] = row[j] - m;
            for (int j = n; j < n + 16; j++)
                e[j] = 0f;
            for (int j = 0; j < n; j += L.Count)
                L.Store(L.Exp(L.Load(e + j)), e + j);
            float s = LaneSum.Sum<V, L>(e, n);
            float lse = Unary.Log(s);
            for (int j = 0; j < n; j++)
                logp[j] -= lse;
            loss.Data[r] = 0f - LaneSum.Dot<V, L>(t, logp, n);
            for (int j = 0; j < n; j++)
                dx.Row(r)[j] = (e[j] / s - t[j]) * scale;
        }
    }
}
