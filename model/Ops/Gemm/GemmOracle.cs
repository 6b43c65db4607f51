using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>Matrix products as the contract states them, one element at a time.</summary>
internal static unsafe class GemmOracle
{
    internal static void Nt(Mat y, Mat x, Weight w, in Epilogue e)
    {
        for (int m = 0; m < y.Rows; m++)
        for (int n = 0; n < y.Cols; n++)
        {
            float acc = 0f;
            for (int k = 0; k < x.Cols; k++)
                acc = MathF.FusedMultiplyAdd(x.Row(m)[k], w.Values.Row(n)[k], acc);
            Finish(y, m, n, acc + 0f, e);
        }
    }

    internal static void Nn(Mat dx, Mat dy, Weight w, in Epilogue e)
    {
        for (int m = 0; m < dx.Rows; m++)
        for (int k = 0; k < dx.Cols; k++)
        {
            float acc = 0f;
            for (int n = 0; n < dy.Cols; n++)
                acc = MathF.FusedMultiplyAdd(dy.Row(m)[n], w.Values.Row(n)[k], acc);
            Finish(dx, m, k, acc + 0f, e);
        }
    }

    internal static void Tn(Mat dw, Mat dy, Mat x, bool accumulate)
    {
        for (int n = 0; n < dw.Rows; n++)
        for (int k = 0; k < dw.Cols; k++)
        {
            float acc = accumulate ? dw.Row(n)[k] : 0f;
            for (int m = 0; m < dy.Rows; m++)
                acc = MathF.FusedMultiplyAdd(dy.Row(m)[n], x.Row(m)[k], acc);
            dw.Row(n)[k] = acc + 0f;
        }
    }

    internal static void Finish(Mat y, int m, int n, float acc, in Epilogue e)
    {
        if (e.Kind is EpilogueKind.Bias or EpilogueKind.BiasResidual or EpilogueKind.BiasGelu)
            acc += e.Bias.Data[n];
        if (e.Kind == EpilogueKind.BiasGelu)
        {
            float value = GeluOracle.Forward(acc, out float erf);
            if (!e.Pre.IsEmpty)
                (e.Pre.Row(m)[n], e.Erf.Row(m)[n]) = (acc, erf);
            acc = value;
        }
        if (e.Kind == EpilogueKind.GeluBackward)
            acc = GeluOracle.Backward(acc, e.Pre.Row(m)[n], e.Erf.Row(m)[n]);
        if (e.Kind == EpilogueKind.BiasResidual)
            acc += e.Residual.Row(m)[n];
        y.Row(m)[n] = acc;
    }
}
