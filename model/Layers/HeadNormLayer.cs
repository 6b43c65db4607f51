using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>The norms a head can have between its layers.</summary>
public enum HeadNorm
{
    None,
    BatchNorm,
    LayerNorm,
}

/// <summary>A head's norm with its parameters: weight [F], bias [F].</summary>
internal abstract class HeadNormLayer(StateLayout layout, string name, int width)
{
    protected Entry Weight { get; } = layout.Add(name + ".weight", [width]);
    protected Entry Bias { get; } = layout.Add(name + ".bias", [width]);

    internal static HeadNormLayer? Of(HeadNorm kind, StateLayout layout, string name, int width) =>
        kind switch
        {
            HeadNorm.BatchNorm => new HeadBatchNorm(layout, name, width),
            HeadNorm.LayerNorm => new HeadLayerNorm(layout, name, width),
            _ => null,
        };

    /// <summary>a.Normed from a.Linear, both [B, F].</summary>
    internal abstract void Forward(in Pass p, HeadLayerActivations a, int grain, bool training);

    /// <summary>
    /// d [B, F] from the gradient of a.Normed to that of a.Linear; a grain's parameter shares are kept.
    /// </summary>
    internal abstract void Backward(in Pass p, HeadLayerActivations a, Mat d, int grain);

    /// <summary>Continues the leaf gradients of the pass's grains, the g-th group of as many.</summary>
    internal void LeafGradients(in Pass p, HeadLayerActivations a, int g)
    {
        Mat dWeight = p.Gradient(Weight);
        Mat dBias = p.Gradient(Bias);
        Elementwise.Add(p.Device, dWeight, dWeight, a.DWeightParts.Slice(g * p.Leaves, p.Leaves));
        Elementwise.Add(p.Device, dBias, dBias, a.DBiasParts.Slice(g * p.Leaves, p.Leaves));
    }
}

/// <summary>
/// BatchNorm1d: training uses the batch's statistics and moves the running ones once; otherwise (the teacher) the
/// running ones are used. eps and momentum are PyTorch's defaults, as in LUT models_lut.py:112-142.
/// </summary>
internal sealed class HeadBatchNorm : HeadNormLayer
{
    private const float Eps = 1e-5f;
    private const float Momentum = 0.1f;
    private readonly Entry mean;
    private readonly Entry variance;
    private readonly int counter;

    // in the body: initialisers would register these before the base's weight and bias
    internal HeadBatchNorm(StateLayout layout, string name, int width)
        : base(layout, name, width)
    {
        mean = layout.Add(name + ".running_mean", [width], EntryKind.Buffer);
        variance = layout.Add(name + ".running_var", [width], EntryKind.Buffer);
        counter = layout.AddCounter(name + ".num_batches_tracked");
    }

    internal override void Forward(in Pass p, HeadLayerActivations a, int grain, bool training)
    {
        State state = p.Weights.State;
        Mat weight = p.Value(Weight);
        Mat bias = p.Value(Bias);
        if (!training)
        {
            BatchNorm.Evaluate(p.Device, a.Normed, a.Linear, state[mean], state[variance], weight, bias, Eps);
            return;
        }
        BatchNorm.Forward(
            p.Device,
            a.Normed,
            a.Stats,
            state[mean],
            state[variance],
            a.Linear,
            weight,
            bias,
            grain,
            Momentum,
            Eps
        );
        state.Counters[counter]++;
    }

    internal override void Backward(in Pass p, HeadLayerActivations a, Mat d, int grain) =>
        BatchNorm.Backward(p.Device, d, a.DWeightParts, a.DBiasParts, d, a.Linear, a.Stats, p.Value(Weight), grain);
}

/// <summary>LayerNorm with LUT's eps (models_lut.py:112-142).</summary>
internal sealed class HeadLayerNorm(StateLayout layout, string name, int width) : HeadNormLayer(layout, name, width)
{
    private const float Eps = 1e-6f;

    internal override void Forward(in Pass p, HeadLayerActivations a, int grain, bool training) =>
        LayerNorm.Forward(p.Device, a.Normed, a.Stats, a.Linear, p.Value(Weight), p.Value(Bias), Eps);

    internal override void Backward(in Pass p, HeadLayerActivations a, Mat d, int grain)
    {
        Mat dWeight = a.DWeightParts; // a leaf for each grain
        Mat dBias = a.DBiasParts;
        p.Device.Clear(dWeight);
        p.Device.Clear(dBias);
        LayerNorm.Backward(p.Device, d, dWeight, dBias, d, a.Linear, a.Stats, p.Value(Weight), default);
    }
}
