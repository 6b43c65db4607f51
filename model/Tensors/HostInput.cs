namespace LutNative.Model.Tensors;

/// <summary>
/// A row that the host fills: in place where the host may, otherwise in a buffer that is copied over.
/// </summary>
public sealed class HostInput(IMemory memory, int floats)
{
    private readonly float[] buffer = memory.OnHost ? [] : new float[floats];
    private Mat target;

    /// <summary>Where to write the row; <see cref="End"/> hands it over.</summary>
    public Span<float> Begin(Mat row)
    {
        if (memory.OnHost)
            return row.Span;
        target = row;
        return buffer;
    }

    public void End()
    {
        if (!target.IsEmpty)
            memory.Write(target, buffer);
        target = default;
    }
}
