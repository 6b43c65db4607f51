using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// One call of an operation: its operands, what each kind of device does with them, and what it writes. An entry
/// (Gemm.Nt, LayerNorm.Forward, ...) checks shapes, then gives one to <see cref="Device.Run{TOp}"/>, and the device
/// calls the method that is its own. To add an operation is to add one of these beside its entry; a device need not know
/// it.
/// </summary>
internal interface IOperation
{
    static abstract OpId Id { get; }

    /// <summary>The definition, in plain loops.</summary>
    void Oracle();

    /// <summary>At one vector width.</summary>
    void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V>;

    /// <summary>
    /// Queues kernels. A <see cref="RunToRunDevice"/> may be given a library's; where an operation does not ask, it has
    /// the exact device's.
    /// </summary>
    void Cuda(CudaDevice device);

    /// <summary>The parameter that it reads or makes the gradient of, or empty: for whoever watches.</summary>
    Mat Parameter { get; }

    /// <summary>What it wrote, by the names that traces show; some may be empty.</summary>
    (string Name, Mat Value)[] Outputs { get; }
}
