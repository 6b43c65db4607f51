using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Layers;

/// <summary>What follows a head's norm.</summary>
public enum HeadActivation
{
    Relu,
    Gelu,
}

/// <summary>
/// The projector and predictor: Depth linear layers without bias, D -> hidden -> ... -> D; after every one but the last
/// a norm (BatchNorm, LayerNorm with eps 1e-6, or none) and ReLU or GELU. Depth 0 is the identity. Names follow
/// torch.nn.Sequential's positions.
/// Source: LUT models_lut.py:112-142 (_build_mlp; last_bn is ignored there).
/// </summary>
public sealed unsafe class MlpHead
{
    private readonly (Linear Linear, HeadNormLayer? Norm)[] layers;
    private readonly HeadActivation activation;

    public MlpHead(
        StateLayout layout,
        string name,
        int depth,
        int width,
        int hidden,
        HeadNorm norm,
        HeadActivation activation
    )
    {
        Depth = depth;
        Width = width;
        Hidden = hidden;
        NormKind = norm;
        this.activation = activation;
        layers = new (Linear, HeadNormLayer?)[depth];
        int position = 0;
        for (int l = 0; l < depth; l++)
        {
            bool last = l == depth - 1;
            string linear = $"{name}.{position++}";
            layers[l].Linear = new Linear(layout, linear, last ? width : hidden, l == 0 ? width : hidden, bias: false);
            if (last)
                break;
            if (norm != HeadNorm.None)
                layers[l].Norm = HeadNormLayer.Of(norm, layout, $"{name}.{position++}", hidden);
            position++; // the activation
        }
    }

    public int Depth { get; }
    public int Width { get; }
    public int Hidden { get; }
    public HeadNorm NormKind { get; }

    /// <summary>
    /// a.Output [B, D] from x [B, D]. Training: batch norm uses the batch's statistics and updates the running ones
    /// once. Otherwise (the teacher) it uses the running ones.
    /// </summary>
    public void Forward(Pool pool, Pass p, HeadActivations a, Mat x, int grain, bool training)
    {
        int piece = p.Device.OnHost ? grain : x.Rows; // threads share the batch by grains; a GPU takes it whole
        a.Input = x;
        for (int l = 0; l < Depth; l++)
        {
            var layer = a.Layers[l];
            bool last = l == Depth - 1;
            pool.Run(
                x.Rows / piece,
                (layers[l].Linear, Pass: p, To: last ? layer.Output : layer.Linear, From: a.InputOf(l), Rows: piece),
                static (g, _, j) =>
                    j.Linear.Forward(j.Pass, j.To.Slice(g * j.Rows, j.Rows), j.From.Slice(g * j.Rows, j.Rows))
            );
            if (last)
                break;
            layers[l].Norm?.Forward(p, layer, grain, training);
            if (activation == HeadActivation.Relu)
                Elementwise.Relu(p.Device, layer.Output, layer.Normed);
            else
                Gelu.Forward(p.Device, layer.Output, layer.Erf, layer.Normed);
        }
    }

    /// <summary>
    /// dx [B, D] from dy [B, D] (either may be the other); keeps what <see cref="LeafGradients"/> needs.
    /// </summary>
    public void Backward(Pool pool, Pass p, HeadActivations a, Mat dx, Mat dy, int grain)
    {
        if (Depth == 0)
        {
            if (dx.Data != dy.Data)
                p.Device.Copy(dx, dy);
            return;
        }
        p.Device.Copy(a.Layers[^1].DLinear, dy);
        int piece = p.Device.OnHost ? grain : dy.Rows;
        for (int l = Depth - 1; l >= 0; l--)
        {
            Mat to = l == 0 ? dx : a.Layers[l - 1].DLinear;
            // layers[l].Linear.Forward
            pool.Run(
                dy.Rows / piece,
                (layers[l].Linear, Pass: p, To: to, From: a.Layers[l].DLinear, Rows: piece),
                static (g, _, j) =>
                    j.Linear.BackwardInput(j.Pass, j.To.Slice(g * j.Rows, j.Rows), j.From.Slice(g * j.Rows, j.Rows))
            );
            if (l == 0)
                break;
            var before = a.Layers[l - 1];
            // Elementwise.Relu, Gelu.Forward
            if (activation == HeadActivation.Relu)
                Elementwise.ReluBackward(p.Device, to, to, before.Normed);
            else
                Gelu.Backward(p.Device, to, to, before.Normed, before.Erf);
            // Norm.Forward
            layers[l - 1].Norm?.Backward(p, before, to, grain);
        }
    }

    /// <summary>
    /// Continues the leaf gradients of the pass's grains, the g-th group of as many, with this view's samples.
    /// </summary>
    public void LeafGradients(in Pass p, HeadActivations a, int g, int grain)
    {
        int rows = grain * p.Leaves;
        for (int l = 0; l < Depth; l++)
        {
            var (linear, norm) = layers[l];
            Mat dy = a.Layers[l].DLinear.Slice(g * rows, rows);
            linear.BackwardParameters(p, dy, a.InputOf(l).Slice(g * rows, rows));
            norm?.LeafGradients(p, a.Layers[l], g);
        }
    }
}
