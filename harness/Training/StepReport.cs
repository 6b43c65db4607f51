using LutNative.Model.Numerics;

namespace LutNative.Harness.Training;

/// <summary>
/// What one optimiser step reports. Recon and Context are null where the stage has no such loss; Views and Masks in
/// steps that are not digested.
/// </summary>
public readonly record struct StepReport(
    double Lr,
    float Loss,
    float? Recon,
    float? Context,
    float GradNorm,
    Digest BatchIds,
    long DataNs,
    Digest? Views = null,
    Digest? Masks = null
);

/// <summary>The digest of one named tensor.</summary>
public sealed record TensorDigest(string Tensor, long[] Shape, Digest Value);
