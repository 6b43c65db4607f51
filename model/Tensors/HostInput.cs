using LutNative.Model.Devices;

namespace LutNative.Model.Tensors;

/// <summary>
/// A row that the host fills for a device: in place where the host may, otherwise in a buffer that is copied over.
/// </summary>
public sealed class HostInput(Device device, int floats)
{
    private readonly float[] buffer = device.OnHost ? [] : new float[floats];
    private Mat target;

    /// <summary>Where to write the row; <see cref="End"/> hands it over.</summary>
    public Span<float> Begin(Mat row)
    {
        if (device.OnHost)
            return row.Span;
        target = row;
        return buffer;
    }

    public void End()
    {
        if (!target.IsEmpty)
            device.Write(target, buffer);
        target = default;
    }
}
