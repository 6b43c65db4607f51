namespace LutNative.Harness.Protocol;

/// <summary>
/// A fixed, versioned experiment: everything that can change a bit, and nothing that cannot. Constructor parameters in
/// snake_case are the keys of the TOML file; every key must be present, but a section with a default value may be left
/// out whole. See protocols/*.toml, where each value carries its reason.
/// </summary>
public sealed record ProtocolSpec(
    string Protocol,
    string Title,
    string Source,
    string Contract,
    long Seed,
    DataSpec Data,
    ModelSpec Model,
    AugmentSpec Augment,
    PretrainSpec Pretrain,
    KnnSpec Knn,
    ProbeSpec Probe,
    FinetuneSpec Finetune,
    BaselinesSpec Baselines,
    TransformSpec? Transform = null,
    LinprobeSpec? Linprobe = null
);

/// <summary>Which images, and how pixels become floats.</summary>
public sealed record DataSpec(
    string Name,
    int TrainImages,
    int TestImages,
    int ImageSize,
    int Classes,
    double[] Mean,
    double[] Std
);

/// <summary>The ViT and its decoder.</summary>
public sealed record ModelSpec(
    int PatchSize,
    int Width,
    int Depth,
    int Heads,
    double MlpRatio,
    double NormEps,
    int DecoderWidth,
    int DecoderDepth,
    int DecoderHeads
);

/// <summary>
/// The two views: u is resize, reflect-padded crop and flip; v adds jitter, then exactly one of gray, solarize, blur.
/// </summary>
public sealed record AugmentSpec(
    int CropPadding,
    double FlipProb,
    double JitterProb,
    double Brightness,
    double Contrast,
    double Saturation,
    double Hue,
    int SolarizeThreshold,
    double BlurMin,
    double BlurMax
);

public sealed record PretrainSpec(
    string Method,
    int Epochs,
    int Batch,
    int BnBatch,
    int Grain,
    double MaskRatio,
    bool NormPixLoss,
    double WMae,
    double WBc,
    double Ema,
    int DepthHead,
    int DepthPred,
    int HeadMlpDim,
    string HeadNormLayer,
    string HeadActLayer,
    double Blr,
    string LrRule,
    double MinLr,
    double WarmupEpochs,
    double WeightDecay,
    double Beta1,
    double Beta2,
    double Eps,
    double ClipGrad,
    int DigestEvery
);

/// <summary>
/// Cosine k-nearest neighbours on pooled features; temperature of the vote exp(similarity/temperature).
/// </summary>
public sealed record KnnSpec(int K, double Temperature);

/// <summary>Logistic regression on standardised frozen features.</summary>
public sealed record ProbeSpec(int Epochs, int Batch, double Lr, double WeightDecay);

public sealed record FinetuneSpec(
    int Epochs,
    int Batch,
    int Grain,
    double Blr,
    string LrRule,
    double MinLr,
    double WarmupEpochs,
    double WeightDecay,
    double Beta1,
    double Beta2,
    double Eps,
    double LayerDecay,
    double DropPath,
    double Smoothing,
    double Mixup,
    double Cutmix,
    double MixProb,
    double MixSwitchProb,
    bool GlobalPool,
    double ClipGrad,
    int DigestEvery
);

/// <summary>The same measurements without pre-training.</summary>
public sealed record BaselinesSpec(bool RawPixels, bool Scratch);

/// <summary>
/// Photographs of any size: what is cut out of them, and RandAugment and erasing for fine-tuning. Without this section
/// images are resized whole, and fine-tuning sees the weak view. Source: timm 0.4.12 transforms_factory.py; torchvision
/// RandomResizedCrop.
/// </summary>
/// <param name="PretrainCrop">
/// simple: resize, pad, crop (LUT); random_resized: RandomResizedCrop (MAE), with scale_min for pre-training.
/// </param>
/// <param name="EvalResize">Shorter side before the centre crop.</param>
/// <param name="MixBatch">Samples that share one draw of mixup or cutmix and are paired first with last.</param>
public sealed record TransformSpec(
    string PretrainCrop,
    double PretrainScaleMin,
    double FinetuneScaleMin,
    double RatioMin,
    double RatioMax,
    int EvalResize,
    int RandAugmentLayers,
    double RandAugmentMagnitude,
    double RandAugmentStd,
    double RandAugmentProb,
    double EraseProb,
    double EraseAreaMin,
    double EraseAreaMax,
    double EraseAspectMin,
    int MixBatch
);

/// <summary>
/// MAE's linear probe: a batch norm without affine parameters and a linear layer on frozen features of augmented
/// images, by LARS. Source: MAE main_linprobe.py, util/lars.py.
/// </summary>
/// <param name="BnBatch">Samples that share batch-norm statistics: one process's batch in the source.</param>
/// <param name="Token">cls, or mean of the patch tokens.</param>
public sealed record LinprobeSpec(
    int Epochs,
    int Batch,
    int BnBatch,
    int Grain,
    double Blr,
    string LrRule,
    double MinLr,
    double WarmupEpochs,
    double WeightDecay,
    double Momentum,
    double TrustCoefficient,
    string Token,
    double ScaleMin,
    int DigestEvery
);

/// <summary>A protocol as it will run: the file with its overrides, its hashes, and where it came from.</summary>
/// <param name="Name">name@version, with +modified when an override changed a value.</param>
/// <param name="MathHash">SHA-256 of the canonical form of every value that can change a bit.</param>
/// <param name="Level">
/// What was kept instead of the contract, or null where the contract was: never to be mixed in one comparison.
/// </param>
public sealed record ResolvedProtocol(
    ProtocolSpec Spec,
    string Name,
    bool Modified,
    string Toml,
    string CanonicalJson,
    string MathHash,
    string Origin,
    string? Level = null
)
{
    /// <summary>
    /// The same protocol computed at another level of math: another experiment, whose name and hash say so.
    /// </summary>
    public ResolvedProtocol AtLevel(string level) =>
        this with
        {
            Name = Name + "+run-to-run",
            Level = level,
            MathHash = Convert.ToHexStringLower(
                System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{MathHash} {level}"))
            ),
        };
}
