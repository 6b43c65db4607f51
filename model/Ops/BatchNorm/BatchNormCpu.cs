using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// One vector of channels at a time: rows are walked with the channel stride, sums stay in registers, T is a counter of
/// vectors.
/// </summary>
internal static unsafe class BatchNormCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    private const int Levels = 24;

    internal static void Forward(
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        int grain,
        float momentum,
        float eps
    )
    {
        int c = 0;
        for (; c + L.Count <= x.Cols; c += L.Count)
            ForwardAt<V, L>(c, y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);
        for (; c < x.Cols; c++)
            ForwardAt<float, Lanes1>(c, y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);
    }

    internal static void Evaluate(Mat y, Mat x, Mat runningMean, Mat runningVar, Mat weight, Mat bias, float eps)
    {
        int c = 0;
        for (; c + L.Count <= x.Cols; c += L.Count)
            Normalise<V, L>(
                c,
                y,
                x,
                L.Load(runningMean.Data + c),
                L.Rsqrt(L.Add(L.Load(runningVar.Data + c), L.Set(eps))),
                weight,
                bias
            );
        for (; c < x.Cols; c++)
            Normalise<float, Lanes1>(c, y, x, runningMean.Data[c], Unary.Rsqrt(runningVar.Data[c] + eps), weight, bias);
    }

    internal static void Backward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    )
    {
        int c = 0;
        for (; c + L.Count <= x.Cols; c += L.Count)
            BackwardAt<V, L>(c, dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);
        for (; c < x.Cols; c++)
            BackwardAt<float, Lanes1>(c, dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);
    }

    [SkipLocalsInit]
    private static void ForwardAt<U, K>(
        int c,
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        int grain,
        float momentum,
        float eps
    )
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U* levels = stackalloc U[Levels];
        U zero = K.Set(0f);
        U n = K.Set(x.Rows);
        int count = 0;
        for (int r = 0; r < x.Rows; r += grain)
        {
            U acc = zero;
            for (int i = r; i < r + grain; i++)
                acc = K.Add(acc, K.Load(x.Row(i) + c));
            Push<U, K>(levels, count++, K.Add(acc, zero));
        }
        U mean = K.Div(Root<U, K>(levels, count), n);
        count = 0;
        for (int r = 0; r < x.Rows; r += grain)
        {
            U acc = zero;
            for (int i = r; i < r + grain; i++)
            {
                U d = K.Sub(K.Load(x.Row(i) + c), mean);
                acc = K.Fma(d, d, acc);
            }
            Push<U, K>(levels, count++, K.Add(acc, zero));
        }
        U squares = Root<U, K>(levels, count);
        U rstd = K.Rsqrt(K.Add(K.Div(squares, n), K.Set(eps)));
        Normalise<U, K>(c, y, x, mean, rstd, weight, bias);
        K.Store(mean, stats.Row(0) + c);
        K.Store(rstd, stats.Row(1) + c);
        Track<U, K>(runningMean.Data + c, mean, momentum);
        Track<U, K>(runningVar.Data + c, K.Div(squares, K.Set(x.Rows - 1)), momentum);
    }

    private static void Normalise<U, K>(int c, Mat y, Mat x, U mean, U rstd, Mat weight, Mat bias)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U w = K.Load(weight.Data + c);
        U b = K.Load(bias.Data + c);
        for (int r = 0; r < x.Rows; r++)
            K.Store(K.Fma(K.Mul(K.Sub(K.Load(x.Row(r) + c), mean), rstd), w, b), y.Row(r) + c);
    }

    private static void Track<U, K>(float* running, U stat, float momentum)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U old = K.Load(running);
        K.Store(K.Fma(K.Set(momentum), K.Sub(stat, old), old), running);
    }

    [SkipLocalsInit]
    private static void BackwardAt<U, K>(
        int c,
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    )
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U* left = stackalloc U[Levels];
        U* right = stackalloc U[Levels];
        U zero = K.Set(0f);
        U n = K.Set(x.Rows);
        U mean = K.Load(stats.Row(0) + c);
        U rstd = K.Load(stats.Row(1) + c);
        int count = 0;
        for (int r = 0; r < x.Rows; r += grain, count++)
        {
            U s1 = zero;
            U s2 = zero;
            for (int i = r; i < r + grain; i++)
            {
                U d = K.Load(dy.Row(i) + c);
                s1 = K.Add(s1, d);
                s2 = K.Fma(d, K.Mul(K.Sub(K.Load(x.Row(i) + c), mean), rstd), s2);
            }
            s1 = K.Add(s1, zero);
            s2 = K.Add(s2, zero);
            K.Store(s1, dBiasParts.Row(count) + c);
            K.Store(s2, dWeightParts.Row(count) + c);
            Push<U, K>(left, count, s1);
            Push<U, K>(right, count, s2);
        }
        U a = K.Div(Root<U, K>(left, count), n);
        U b = K.Div(Root<U, K>(right, count), n);
        U k = K.Mul(K.Load(weight.Data + c), rstd);
        for (int r = 0; r < x.Rows; r++)
        {
            U xhat = K.Mul(K.Sub(K.Load(x.Row(r) + c), mean), rstd);
            K.Store(K.Mul(k, K.Sub(K.Sub(K.Load(dy.Row(r) + c), a), K.Mul(xhat, b))), dx.Row(r) + c);
        }
    }

    /// <summary>The binary counter of <see cref="Tree"/>, a vector at a time.</summary>
    private static void Push<U, K>(U* levels, int count, U x)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        int l = 0;
        for (; (count >> l & 1) != 0; l++)
            x = K.Add(levels[l], x);
        levels[l] = x;
    }

    private static U Root<U, K>(U* levels, int count)
        where U : unmanaged
        where K : struct, ILanes<U>
    {
        U sum = K.Set(0f);
        bool any = false;
        for (int l = 0; l < Levels; l++)
            if ((count >> l & 1) != 0)
            {
                sum = any ? K.Add(levels[l], sum) : levels[l];
                any = true;
            }
        return K.Add(sum, K.Set(0f));
    }
}
