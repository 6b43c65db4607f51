using LutNative.Model.Layers;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>What a pre-training run may choose; names are the authors' options.</summary>
/// <param name="MaskRatio">mask_ratio, in [0, 1): the share of patches hidden from each view.</param>
/// <param name="NormPixLoss">norm_pix_loss: per-patch normalised targets.</param>
/// <param name="WMae">w_mae, weight of the reconstruction loss.</param>
/// <param name="WBc">w_bc, weight of the broader-context loss.</param>
/// <param name="Context">false gives plain MAE: one view, no teacher, no heads.</param>
/// <param name="DepthHead">depth_head: linear layers of the projector, 0 to 3.</param>
/// <param name="DepthPred">depth_pred: linear layers of the predictor, 0 to 3.</param>
/// <param name="HeadMlpDim">head_mlp_dim: width of their hidden layers.</param>
/// <param name="HeadNorm">head_norm_layer.</param>
/// <param name="HeadActivation">head_act_layer.</param>
public sealed record LutOptions(
    double MaskRatio,
    bool NormPixLoss,
    double WMae,
    double WBc,
    bool Context,
    int DepthHead = 2,
    int DepthPred = 2,
    int HeadMlpDim = 4096,
    HeadNorm HeadNorm = HeadNorm.BatchNorm,
    HeadActivation HeadActivation = HeadActivation.Relu
);

/// <summary>
/// The pre-training network: a masked autoencoder and, for LUT, a projector and a predictor on pooled tokens. The
/// teacher is another state of the same layout. Source: "Learning with Unmasked Tokens Drives Stronger Vision
/// Learners", ECCV 2024; models_lut.py.
/// </summary>
public sealed class Lut
{
    public Lut(VitShape shape, DecoderShape decoder, LutOptions options)
    {
        Options = options;
        Mae = new Mae(Layout, shape, decoder);
        if (!options.Context)
            return;
        Projector = new MlpHead(
            Layout,
            "head",
            options.DepthHead,
            shape.Width,
            options.HeadMlpDim,
            options.HeadNorm,
            options.HeadActivation
        );
        Predictor = new MlpHead(
            Layout,
            "predictor",
            options.DepthPred,
            shape.Width,
            options.HeadMlpDim,
            options.HeadNorm,
            options.HeadActivation
        );
    }

    public StateLayout Layout { get; } = new();
    public LutOptions Options { get; }
    public Mae Mae { get; }
    public MlpHead? Projector { get; }
    public MlpHead? Predictor { get; }
}
