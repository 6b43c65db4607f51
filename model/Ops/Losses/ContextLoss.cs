using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// The broader-context loss of one direction: D(q, t) = 2 - 2 cos(q, t), t without gradient.
/// <para>Shapes: q, t, dq [B, D]; loss [B, 1].</para>
/// <para>Order: n = max(sqrt(dot(x, x)), 1e-12f) by compare-select; qh = q / nq; th = t / nt; c = dot(qh, th) by the 64
/// lanes; loss = 2 - 2*c; dq = (k * (th - c*qh)) / nq with k = -2*weight/B rounded once. The batch's loss is T over
/// samples, divided by B.</para>
/// <para>Gradients: dq overwritten.</para>
/// <para>Source: LUT engine_lut.py:28-31 and 58-70; docs/NUMERICS.md rule 9.</para>
/// </summary>
public static class ContextLoss
{
    internal const float Floor = 1e-12f;

    public static void Run(Device device, Mat loss, Mat dq, Mat q, Mat t, float k)
    {
        loss.Require(q.Rows, 1);
        dq.Require(q.Rows, q.Cols);
        t.Require(q.Rows, q.Cols);
        device.Run(new ContextLossOp(loss, dq, q, t, k));
    }
}

internal readonly record struct ContextLossOp(Mat Loss, Mat Dq, Mat Q, Mat T, float K) : IOperation
{
    public static OpId Id => OpId.ContextLoss;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("loss", Loss), ("dq", Dq)];

    public void Oracle() => ContextLossOracle.Run(Loss, Dq, Q, T, K);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => ContextLossCpu<V, L>.Run(Loss, Dq, Q, T, K);

    public void Cuda(CudaDevice device) =>
        device.Rows("losses", "context_loss", Q.Rows, Loss, Dq, Q, T, Q.Rows, Q.Cols, K);
}

internal static unsafe class ContextLossOracle
{
    internal static void Run(Mat loss, Mat dq, Mat q, Mat t, float k)
    {
        int d = q.Cols;
        for (int r = 0; r < q.Rows; r++)
        {
            float[] qh = Unit(new ReadOnlySpan<float>(q.Row(r), d), out float nq);
            float[] th = Unit(new ReadOnlySpan<float>(t.Row(r), d), out _);
            float c = LaneSumOracle.Dot(qh, th);
            loss.Data[r] = 2f - 2f * c;
            for (int j = 0; j < d; j++)
                dq.Row(r)[j] = k * (th[j] - c * qh[j]) / nq;
        }
    }

    private static float[] Unit(ReadOnlySpan<float> x, out float norm)
    {
        norm = MathF.Sqrt(LaneSumOracle.Dot(x, x));
        norm = norm > ContextLoss.Floor ? norm : ContextLoss.Floor;
        var y = new float[x.Length];
        for (int j = 0; j < y.Length; j++)
            y[j] = x[j] / norm;
        return y;
    }
}

internal static unsafe class ContextLossCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Run(Mat loss, Mat dq, Mat q, Mat t, float k)
    {
        int d = q.Cols;
        float* qh = stackalloc float[d];
        float* th = stackalloc float[d];
        for (int r = 0; r < q.Rows; r++)
        {
            float nq = Unit(qh, q.Row(r), d);
            Unit(th, t.Row(r), d);
            float c = LaneSum.Dot<V, L>(qh, th, d);
            float n = nq;
            loss.Data[r] = 2f - 2f * c;
            float* g = dq.Row(r);
            for (int j = 0; j < d; j++)
                g[j] = k * (th[j] - c * qh[j]) / n;
        }
    }

    /// <summary>y = x / max(|x|, floor); returns the divisor.</summary>
    internal static float Unit(float* y, float* x, int d)
    {
        float norm = MathF.Sqrt(LaneSum.Dot<V, L>(x, x, d));
        norm = norm > ContextLoss.Floor ? norm : ContextLoss.Floor;
        for (int j = 0; j < d; j++)
            y[j] = x[j] / norm;
        return norm;
    }
}
