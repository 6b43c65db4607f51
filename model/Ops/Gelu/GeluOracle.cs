using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class GeluOracle
{
    internal static float Forward(float x, out float erf)
    {
        erf = Unary.Erf(x * Gelu.RootHalf);
        return 0.5f * x * (1f + erf);
    }

    internal static float Backward(float dy, float x, float erf)
    {
        float cdf = 0.5f * (1f + erf);
        float pdf = Unary.Exp(-0.5f * (x * x)) * Gelu.PdfScale;
        return dy * MathF.FusedMultiplyAdd(x, pdf, cdf);
    }

    internal static void Forward(Mat y, Mat erf, Mat x)
    {
        for (long i = 0; i < x.Count; i++)
        {
            y.Data[i] = Forward(x.Data[i], out float e);
            if (!erf.IsEmpty)
                erf.Data[i] = e;
        }
    }

    internal static void Backward(Mat dx, Mat dy, Mat x, Mat erf)
    {
        for (long i = 0; i < x.Count; i++)
            dx.Data[i] = Backward(dy.Data[i], x.Data[i], erf.Data[i]);
    }
}
