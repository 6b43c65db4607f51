using System.Runtime.Intrinsics;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;

namespace LutNative.Model.Devices;

/// <summary>The CPU at one vector width; every width gives the same bits.</summary>
public sealed class CpuDevice<V, L> : Device
    where V : unmanaged
    where L : struct, ILanes<V>
{
    public override string Name =>
        L.Count switch
        {
            16 => "cpu-512",
            8 => "cpu-256",
            _ => "cpu-128",
        };

    public override long PackedFloats(int k, int columns) => GemmPacking<V, L>.PanelFloats(k, columns);

    public override unsafe void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) =>
        GemmPacking<V, L>.Pack(panels, source, ks, js, k, columns);

    internal override void Run<TOp>(TOp op) => op.Cpu<V, L>();
}

/// <summary>Chooses the CPU device for this process: the one place that knows what the hardware has.</summary>
public static class Cpu
{
    public static Device Best() =>
        Vector512.IsHardwareAccelerated ? new CpuDevice<Vector512<float>, Lanes512>()
        : Vector256.IsHardwareAccelerated ? new CpuDevice<Vector256<float>, Lanes256>()
        : new CpuDevice<Vector128<float>, Lanes128>();

    /// <summary>Every width, whether accelerated or emulated: for tests.</summary>
    public static IReadOnlyList<Device> All() =>
        [
            new CpuDevice<Vector512<float>, Lanes512>(),
            new CpuDevice<Vector256<float>, Lanes256>(),
            new CpuDevice<Vector128<float>, Lanes128>(),
        ];
}
