namespace LutNative.Model.Networks;

/// <summary>The decoder's shape: width, depth and heads; published: 512, 8, 16.</summary>
public sealed record DecoderShape(int Width, int Depth, int Heads, double MlpRatio = 4.0)
{
    public int Hidden => (int)(Width * MlpRatio);
}
