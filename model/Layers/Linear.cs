using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>y = x W^T (+ b); weight [out, in] (or a convolution's [out, C, p, p]), bias [out] or none.</summary>
public sealed class Linear
{
    public Linear(StateLayout layout, string name, int output, int[] input, bool bias = true)
    {
        Weight = layout.Add(name + ".weight", [output, .. input]);
        Bias = bias ? layout.Add(name + ".bias", [output]) : null;
    }

    public Linear(StateLayout layout, string name, int output, int input, bool bias = true)
        : this(layout, name, output, [input], bias) { }

    public Entry Weight { get; }
    public Entry? Bias { get; }

    public void Forward(in Pass p, Mat y, Mat x) =>
        Gemm.Nt(
            p.Device,
            y,
            x,
            p.Weights.Matrix(Weight),
            Bias is null ? Epilogue.None : Epilogue.AddBias(p.Value(Bias))
        );

    /// <summary>y = residual + (x W^T + b), in the contract's order.</summary>
    public void ForwardResidual(in Pass p, Mat y, Mat x, Mat residual) =>
        Gemm.Nt(p.Device, y, x, p.Weights.Matrix(Weight), Epilogue.AddBiasResidual(p.Value(Bias!), residual));

    /// <summary>y = GELU(x W^T + b); pre and erf are kept for backward, or empty.</summary>
    public void ForwardGelu(in Pass p, Mat y, Mat pre, Mat erf, Mat x) =>
        Gemm.Nt(p.Device, y, x, p.Weights.Matrix(Weight), Epilogue.BiasGelu(p.Value(Bias!), pre, erf));

    /// <summary>dx = dy W, overwritten, with an epilogue.</summary>
    public void BackwardInput(in Pass p, Mat dx, Mat dy, in Epilogue epilogue = default) =>
        Gemm.Nn(p.Device, dx, dy, p.Weights.Matrix(Weight), epilogue);

    /// <summary>
    /// Continues the gradients of weight and bias; the weight's is overwritten where the pass is the leaf's first.
    /// </summary>
    public void BackwardParameters(in Pass p, Mat dy, Mat x)
    {
        Gemm.Tn(p.Device, p.Gradient(Weight), dy, x, accumulate: !p.First);
        if (Bias is not null)
            Elementwise.ColumnSum(p.Device, p.Gradient(Bias), dy);
    }
}
