using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Ops;

internal static unsafe class LayerNormCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Forward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps)
    {
        int parts = Team.PartsFor(x.Rows / 16);
        Team.Run(
            parts,
            (y, stats, x, weight, bias, eps, parts),
            static (i, _, s) =>
                Rows(
                    s.y,
                    s.stats,
                    s.x,
                    s.weight,
                    s.bias,
                    s.eps,
                    (int)((long)s.x.Rows * i / s.parts),
                    (int)((long)s.x.Rows * (i + 1) / s.parts)
                )
        );
    }

    private static void Rows(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps, int first, int end)
    {
        int d = x.Cols;
        for (int r = first; r < end; r++)
        {
            float* px = x.Row(r);
            float* py = y.Row(r);
            float mean = LaneSum.Sum<V, L>(px, d) / d;
            Centre(py, px, mean, d);
            float rstd = Unary.Rsqrt(LaneSum.Dot<V, L>(py, py, d) / d + eps);
            int j = 0;
            for (; j + L.Count <= d; j += L.Count)
                Affine<V, L>(py + j, rstd, weight.Data + j, bias.Data + j);
            for (; j < d; j++)
                Affine<float, Lanes1>(py + j, rstd, weight.Data + j, bias.Data + j);
            stats.Row(r)[0] = mean;
            stats.Row(r)[1] = rstd;
        }
    }

    [SkipLocalsInit]
    internal static void Backward(Mat dx, Mat dWeight, Mat dBias, Mat dy, Mat x, Mat stats, Mat weight, Mat residual)
    {
        int d = x.Cols;
        float* g = stackalloc float[d];
        float* xhat = stackalloc float[d];
        for (int r = 0; r < x.Rows; r++)
        {
            float mean = stats.Row(r)[0];
            float rstd = stats.Row(r)[1];
            float* pdy = dy.Row(r);
            float* px = x.Row(r);
            float* pdx = dx.Row(r);
            float* pr = residual.IsEmpty ? null : residual.Row(r);
            int j = 0;
            for (; j + L.Count <= d; j += L.Count)
                Parameters<V, L>(
                    g + j,
                    xhat + j,
                    dWeight.Data + j,
                    dBias.Data + j,
                    pdy + j,
                    px + j,
                    weight.Data + j,
                    mean,
                    rstd
                );
            for (; j < d; j++)
                Parameters<float, Lanes1>(
                    g + j,
                    xhat + j,
                    dWeight.Data + j,
                    dBias.Data + j,
                    pdy + j,
                    px + j,
                    weight.Data + j,
                    mean,
                    rstd
                );
            float a = LaneSum.Sum<V, L>(g, d) / d;
            float b = LaneSum.Dot<V, L>(g, xhat, d) / d;
            for (j = 0; j + L.Count <= d; j += L.Count)
                Input<V, L>(pdx + j, g + j, xhat + j, a, b, rstd, pr == null ? null : pr + j);
            for (; j < d; j++)
                Input<float, Lanes1>(pdx + j, g + j, xhat + j, a, b, rstd, pr == null ? null : pr + j);
        }
        for (int j = 0; j < d; j++)
            (dWeight.Data[j], dBias.Data[j]) = (dWeight.Data[j] + 0f, dBias.Data[j] + 0f);
    }

    private static void Centre(float* y, float* x, float mean, int d)
    {
        V m = L.Set(mean);
        int j = 0;
        for (; j + L.Count <= d; j += L.Count)
            L.Store(L.Sub(L.Load(x + j), m), y + j);
        for (; j < d; j++)
            y[j] = x[j] - mean;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Affine<U, K>(float* y, float rstd, float* weight, float* bias)
        where U : unmanaged
        where K : struct, ILanes<U> => K.Store(K.Fma(K.Mul(K.Load(y), K.Set(rstd)), K.Load(weight), K.Load(bias)), y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Parameters<U, K>(
        float* g,
        float* xhat,
        float* dWeight,
        float* dBias,
        float* dy,
        float* x,
        float* weight,
        float mean,
        float rstd
    )
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U d = K.Load(dy);
        U h = K.Mul(K.Sub(K.Load(x), K.Set(mean)), K.Set(rstd));
        K.Store(h, xhat);
        K.Store(K.Mul(d, K.Load(weight)), g);
        K.Store(K.Fma(d, h, K.Load(dWeight)), dWeight);
        K.Store(K.Add(K.Load(dBias), d), dBias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Input<U, K>(float* dx, float* g, float* xhat, float a, float b, float rstd, float* residual)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U v = K.Mul(K.Set(rstd), K.Sub(K.Sub(K.Load(g), K.Set(a)), K.Mul(K.Load(xhat), K.Set(b))));
        K.Store(residual == null ? v : K.Add(K.Load(residual), v), dx);
    }
}
