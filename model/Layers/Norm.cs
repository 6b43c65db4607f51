using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>Layer normalisation with its parameters: weight [D], bias [D].</summary>
public sealed class Norm(StateLayout layout, string name, int width, float eps)
{
    public Entry Weight { get; } = layout.Add(name + ".weight", [width]);
    public Entry Bias { get; } = layout.Add(name + ".bias", [width]);

    /// <summary>stats [R, 2] = (mean, rstd), kept for backward.</summary>
    public void Forward(in Pass p, Mat y, Mat stats, Mat x) =>
        LayerNorm.Forward(p.Device, y, stats, x, p.Value(Weight), p.Value(Bias), eps);

    /// <summary>dx = residual + gradient (residual may be empty); parameter gradients continue.</summary>
    public void Backward(in Pass p, Mat dx, Mat dy, Mat x, Mat stats, Mat residual) =>
        LayerNorm.Backward(p.Device, dx, p.Gradient(Weight), p.Gradient(Bias), dy, x, stats, p.Value(Weight), residual);
}
