namespace LutNative.Model.Networks;

/// <summary>
/// Which patches each view shows. One noise vector a sample, sorted once: view u keeps places [0, K) of the shuffled
/// order, view v the next K (fewer when the mask ratio is below 1/2), so the visible sets are disjoint. Keys are (noise
/// &lt;&lt; 32 | index): unique, hence one order.
/// Source: LUT models_lut.py:172-210.
/// </summary>
public sealed class MaskPlan(int patches, double maskRatio)
{
    private readonly int patches = patches;

    /// <summary>K = int(P (1 - mask_ratio)).</summary>
    public int Kept { get; } = (int)(patches * (1 - maskRatio));

    /// <summary>Places that view v gets: min(K, P - K).</summary>
    public int KeptOther => Math.Min(Kept, patches - Kept);

    /// <summary>
    /// Sorts the keys and writes one sample's rows: index for u and v (v may be empty), restore for the decoder.
    /// </summary>
    public void Draw(Span<ulong> keys, Span<int> indexU, Span<int> indexV, Span<int> restore)
    {
        keys.Sort();
        for (int place = 0; place < patches; place++)
        {
            int patch = (int)(uint)keys[place];
            restore[patch] = place;
            if (place < Kept)
                indexU[place] = patch;
            else if (place - Kept < indexV.Length)
                indexV[place - Kept] = patch;
        }
    }
}
