using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class PatchTargetCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Normalise(Mat target)
    {
        int n = target.Cols;
        for (int r = 0; r < target.Rows; r++)
        {
            float* t = target.Row(r);
            float mean = LaneSum.Sum<V, L>(t, n) / n;
            V m = L.Set(mean);
            int j = 0;
            for (; j + L.Count <= n; j += L.Count)
                L.Store(L.Sub(L.Load(t + j), m), t + j);
            for (; j < n; j++)
                t[j] -= mean;
            float sd = MathF.Sqrt(LaneSum.Dot<V, L>(t, t, n) / (n - 1) + PatchTarget.Eps);
            V d = L.Set(sd);
            for (j = 0; j + L.Count <= n; j += L.Count)
                L.Store(L.Div(L.Load(t + j), d), t + j);
            for (; j < n; j++)
                t[j] /= sd;
        }
    }

    internal static void Loss(
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    )
    {
        int n = target.Cols;
        int patches = loss.Cols;
        for (int s = 0; s < loss.Rows; s++)
        {
            new Span<float>(dPred.Row(s * (patches + 1)), n).Clear();
            for (int l = 0; l < patches; l++)
            {
                float* d = dPred.Row(s * (patches + 1) + 1 + l);
                float* p = pred.Row(s * (patches + 1) + 1 + l);
                float* t = target.Row(s * patches + l);
                if (restore[s * patches + l] < kept)
                {
                    new Span<float>(d, n).Clear();
                    loss.Row(s)[l] = 0f;
                    continue;
                }
                int j = 0;
                for (; j + L.Count <= n; j += L.Count)
                    L.Store(L.Sub(L.Load(p + j), L.Load(t + j)), d + j);
                for (; j < n; j++)
                    d[j] = p[j] - t[j];
                loss.Row(s)[l] = LaneSum.Dot<V, L>(d, d, n) / n;
                ElementwiseCpu<V, L>.Scale(d, d, scale, n);
            }
        }
    }
}
