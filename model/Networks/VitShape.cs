using LutNative.Model.Ops;

namespace LutNative.Model.Networks;

/// <summary>The shape of a ViT trunk. mlp_ratio is 4 in every published model.</summary>
public sealed record VitShape(
    PatchGrid Grid,
    int Width,
    int Depth,
    int Heads,
    double MlpRatio = 4.0,
    float NormEps = 1e-6f
)
{
    public int Hidden => (int)(Width * MlpRatio);
}
