namespace LutNative.Model.Devices;

/// <summary>The definition of every operation: plain scalar loops. Slow, and obviously right.</summary>
public sealed class OracleDevice : Device
{
    public override string Name => "oracle";

    public override long PackedFloats(int k, int columns) => 0;

    public override unsafe void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) { }

    internal override void Run<TOp>(TOp op) => op.Oracle();
}
