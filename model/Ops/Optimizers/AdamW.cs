using System.Runtime.CompilerServices;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>Scalars of one AdamW step for one parameter group, made on the host in double and rounded once.</summary>
/// <param name="Decay">1 - lr*weight_decay.</param>
/// <param name="OneMinusBeta1">1 - beta1.</param>
/// <param name="Beta2">beta2.</param>
/// <param name="OneMinusBeta2">1 - beta2.</param>
/// <param name="RootCorrection">sqrt(1 - beta2^t), the power a running product.</param>
/// <param name="Step">lr / (1 - beta1^t).</param>
/// <param name="Eps">added after the square root.</param>
public readonly record struct AdamWScalars(
    float Decay,
    float OneMinusBeta1,
    float Beta2,
    float OneMinusBeta2,
    float RootCorrection,
    float Step,
    float Eps
);

/// <summary>
/// Optimiser updates.
/// <para>Computes: decoupled weight decay Adam, and the exponential moving average of a teacher.</para>
/// <para>Shapes: all tensors alike.</para>
/// <para>Order: p1 = p*decay; m' = fma(1-b1, g - m, m); v' = fma(1-b2, g*g, b2*v); d = sqrt(v')/s2 + eps; p' =
/// fma(-step, m'/d, p1). Average: e' = fma(1-d, p - e, e).</para>
/// <para>Gradients: p, m, v, e updated in place.</para>
/// <para>Source: Loshchilov and Hutter 2019, torch.optim.AdamW (single tensor); LUT model_ema_sched.py:187-199;
/// docs/NUMERICS.md rule 9.</para>
/// </summary>
public static class AdamW
{
    public static void Update(Device device, Mat p, Mat m, Mat v, Mat g, in AdamWScalars s)
    {
        m.Require(p.Rows, p.Cols);
        v.Require(p.Rows, p.Cols);
        g.Require(p.Rows, p.Cols);
        device.Run(new AdamWOp(p, m, v, g, s));
    }

    public static void Average(Device device, Mat e, Mat p, float oneMinusDecay)
    {
        e.Require(p.Rows, p.Cols);
        device.Run(new AverageOp(e, p, oneMinusDecay));
    }
}

internal readonly record struct AdamWOp(Mat P, Mat M, Mat V, Mat G, AdamWScalars Scalars) : IOperation
{
    public static OpId Id => OpId.AdamW;
    public Mat Parameter => P;
    public (string Name, Mat Value)[] Outputs => [("p", P), ("exp_avg", M), ("exp_avg_sq", V)];

    public void Oracle() => AdamWOracle.Update(P, M, V, G, Scalars);

    public void Cpu<U, L>()
        where U : unmanaged
        where L : struct, ILanes<U> => AdamWCpu<U, L>.Update(P, M, V, G, Scalars);

    public void Cuda(CudaDevice device) => AdamWCuda.Update(device, P, M, V, G, Scalars);
}

internal readonly record struct AverageOp(Mat E, Mat P, float OneMinusDecay) : IOperation
{
    public static OpId Id => OpId.Average;
    public Mat Parameter => E;
    public (string Name, Mat Value)[] Outputs => [("teacher", E)];

    public void Oracle() => AdamWOracle.Average(E, P, OneMinusDecay);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => AdamWCpu<V, L>.Average(E, P, OneMinusDecay);

    public void Cuda(CudaDevice device) =>
        device.Elements("optimizer", "average", P.Count, 4, KernelArgument.Updated(E), P, P.Count, OneMinusDecay);
}

internal static unsafe class AdamWOracle
{
    internal static void Update(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s)
    {
        for (long i = 0; i < p.Count; i++)
        {
            float p1 = p.Data[i] * s.Decay;
            m.Data[i] = MathF.FusedMultiplyAdd(s.OneMinusBeta1, g.Data[i] - m.Data[i], m.Data[i]);
            v.Data[i] = MathF.FusedMultiplyAdd(s.OneMinusBeta2, g.Data[i] * g.Data[i], s.Beta2 * v.Data[i]);
            float d = MathF.Sqrt(v.Data[i]) / s.RootCorrection + s.Eps;
            p.Data[i] = MathF.FusedMultiplyAdd(-s.Step, m.Data[i] / d, p1);
        }
    }

    internal static void Average(Mat e, Mat p, float oneMinusDecay)
    {
        for (long i = 0; i < p.Count; i++)
            e.Data[i] = MathF.FusedMultiplyAdd(oneMinusDecay, p.Data[i] - e.Data[i], e.Data[i]);
    }
}

internal static unsafe class AdamWCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Update(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s)
    {
        long i = 0;
        long n = p.Count;
        for (; i + L.Count <= n; i += L.Count)
            UpdateAt<V, L>(p.Data + i, m.Data + i, v.Data + i, g.Data + i, s);
        for (; i < n; i++)
            UpdateAt<float, Lanes1>(p.Data + i, m.Data + i, v.Data + i, g.Data + i, s);
    }

    internal static void Average(Mat e, Mat p, float oneMinusDecay)
    {
        long i = 0;
        long n = p.Count;
        V f = L.Set(oneMinusDecay);
        for (; i + L.Count <= n; i += L.Count)
        {
            V old = L.Load(e.Data + i);
            L.Store(L.Fma(f, L.Sub(L.Load(p.Data + i), old), old), e.Data + i);
        }
        for (; i < n; i++)
            e.Data[i] = MathF.FusedMultiplyAdd(oneMinusDecay, p.Data[i] - e.Data[i], e.Data[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UpdateAt<U, K>(float* p, float* m, float* v, float* g, in AdamWScalars s)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U grad = K.Load(g);
        U m0 = K.Load(m);
        U p1 = K.Mul(K.Load(p), K.Set(s.Decay));
        U m1 = K.Fma(K.Set(s.OneMinusBeta1), K.Sub(grad, m0), m0);
        U v1 = K.Fma(K.Set(s.OneMinusBeta2), K.Mul(grad, grad), K.Mul(K.Set(s.Beta2), K.Load(v)));
        U d = K.Add(K.Div(K.Sqrt(v1), K.Set(s.RootCorrection)), K.Set(s.Eps));
        K.Store(m1, m);
        K.Store(v1, v);
        K.Store(K.Fma(K.Set(-s.Step), K.Div(m1, d), p1), p);
    }
}
