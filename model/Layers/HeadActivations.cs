using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>What one view's pass through a head keeps, layer by layer, for B samples.</summary>
public sealed class HeadActivations
{
    public readonly HeadLayerActivations[] Layers;

    public HeadActivations(Arena arena, MlpHead head, int batch, int grain)
    {
        Layers = new HeadLayerActivations[head.Depth];
        for (int l = 0; l < head.Depth; l++)
            Layers[l] = new HeadLayerActivations(arena, head, l == head.Depth - 1, batch, grain);
    }

    /// <summary>The head's input of the last forward pass, [B, D].</summary>
    public Mat Input { get; internal set; }

    /// <summary>[B, D]; a head without layers is the identity.</summary>
    public Mat Output => Layers.Length == 0 ? Input : Layers[^1].Output;

    /// <summary>What layer l reads: [B, D], or [B, F] of the layer before it.</summary>
    public Mat InputOf(int l) => l == 0 ? Input : Layers[l - 1].Output;
}

/// <summary>
/// One layer of a head: linear, norm, activation; F is its width. The last layer is linear only: what belongs to norm
/// and activation is empty there.
/// </summary>
public sealed class HeadLayerActivations
{
    public readonly Mat Output; // [B, F], the next layer's input or the head's result
    public readonly Mat DLinear; // [B, F], the gradient of x W^T
    public readonly Mat Linear; // [B, F], x W^T
    public readonly Mat Normed; // [B, F]; without a norm the same memory as Linear
    public readonly Mat Stats; // batch norm: [2, F]; layer norm: [B, 2]
    public readonly Mat Erf; // [B, F], GELU only
    public readonly Mat DWeightParts; // [B/grain, F], a grain's share of the norm's weight gradient
    public readonly Mat DBiasParts; // [B/grain, F]

    public HeadLayerActivations(Arena arena, MlpHead head, bool last, int batch, int grain)
    {
        int width = last ? head.Width : head.Hidden;
        Output = arena.Matrix(batch, width);
        DLinear = arena.Matrix(batch, width);
        if (last)
            return;
        Linear = arena.Matrix(batch, width);
        Normed = head.NormKind == HeadNorm.None ? Linear : arena.Matrix(batch, width);
        Stats = head.NormKind == HeadNorm.BatchNorm ? arena.Matrix(2, width) : arena.Matrix(batch, 2);
        Erf = arena.Matrix(batch, width);
        DWeightParts = arena.Matrix(batch / grain, width);
        DBiasParts = arena.Matrix(batch / grain, width);
    }
}
