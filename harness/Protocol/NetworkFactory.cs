using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;

namespace LutNative.Harness.Protocol;

/// <summary>The networks that a protocol describes.</summary>
public static class NetworkFactory
{
    public static VitShape ShapeOf(ProtocolSpec p) =>
        new(
            new PatchGrid(p.Data.ImageSize, p.Model.PatchSize),
            p.Model.Width,
            p.Model.Depth,
            p.Model.Heads,
            p.Model.MlpRatio,
            (float)p.Model.NormEps
        );

    /// <summary>The network of pre-training: MAE, or with heads LUT.</summary>
    public static Lut PretrainingOf(ProtocolSpec p)
    {
        var decoder = new DecoderShape(
            p.Model.DecoderWidth,
            p.Model.DecoderDepth,
            p.Model.DecoderHeads,
            p.Model.MlpRatio
        );
        return new Lut(ShapeOf(p), decoder, OptionsOf(p.Pretrain));
    }

    /// <summary>The network of fine-tuning and of training from scratch.</summary>
    /// <param name="training">Without training no branch is ever dropped.</param>
    public static Classifier ClassifierOf(ProtocolSpec p, bool training) =>
        new(ShapeOf(p), p.Data.Classes, p.Finetune.GlobalPool, training ? (float)p.Finetune.DropPath : 0f);

    private static LutOptions OptionsOf(PretrainSpec t)
    {
        bool context = t.Method == "lut";
        return new LutOptions(
            t.MaskRatio,
            t.NormPixLoss,
            t.WMae,
            context ? t.WBc : 0.0,
            context,
            t.DepthHead,
            t.DepthPred,
            t.HeadMlpDim,
            t.HeadNormLayer switch
            {
                "BN" => HeadNorm.BatchNorm,
                "LN" => HeadNorm.LayerNorm,
                _ => HeadNorm.None,
            },
            t.HeadActLayer == "GELU" ? HeadActivation.Gelu : HeadActivation.Relu
        );
    }
}
