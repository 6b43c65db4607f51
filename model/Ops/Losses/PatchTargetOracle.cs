using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class PatchTargetOracle
{
    internal static void Normalise(Mat target)
    {
        int n = target.Cols;
        for (int r = 0; r < target.Rows; r++)
        {
            var t = new Span<float>(target.Row(r), n);
            float mean = LaneSumOracle.Sum(t) / n;
            for (int j = 0; j < n; j++)
                t[j] -= mean;
            float sd = MathF.Sqrt(LaneSumOracle.Dot(t, t) / (n - 1) + PatchTarget.Eps);
            for (int j = 0; j < n; j++)
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
        for (int l = 0; l <= patches; l++)
        {
            var d = new float[n];
            int row = s * (patches + 1) + l;
            bool masked = l > 0 && restore[s * patches + l - 1] >= kept;
            for (int j = 0; j < n && masked; j++)
                d[j] = pred.Row(row)[j] - target.Row(s * patches + l - 1)[j];
            for (int j = 0; j < n; j++)
                dPred.Row(row)[j] = masked ? d[j] * scale : 0f;
            if (l > 0)
                loss.Row(s)[l - 1] = LaneSumOracle.Dot(d, d) / n;
        }
    }
}
