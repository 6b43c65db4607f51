namespace LutNative.Model.Networks;

/// <summary>
/// Where a step's samples come from: position is the place in the global batch. Called from several workers at once.
/// </summary>
public interface ISampleSource
{
    /// <summary>
    /// Fills the first view and the second (empty for MAE), each C*Y*X normalised floats, and one sort key a patch,
    /// (noise &lt;&lt; 32 | patch).
    /// </summary>
    void Load(int position, Span<float> first, Span<float> second, Span<ulong> keys);
}
