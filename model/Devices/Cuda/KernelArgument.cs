using System.Runtime.InteropServices;
using LutNative.Interop;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>
/// An argument of a kernel as operations give it: a tensor, a number or an address becomes the driver's
/// <see cref="Argument"/>, which knows no tensors.
/// </summary>
internal readonly unsafe struct KernelArgument(Argument value)
{
    private readonly Argument value = value;

    /// <summary>The same arguments for the driver, in place.</summary>
    internal static ReadOnlySpan<Argument> Of(ReadOnlySpan<KernelArgument> all) =>
        MemoryMarshal.Cast<KernelArgument, Argument>(all);

    /// <summary>A tensor that the kernel reads and writes: its bytes are touched twice.</summary>
    internal static KernelArgument Updated(Mat m) => Argument.Tensor(m.Data, 2 * m.Count * sizeof(float));

    public static implicit operator KernelArgument(Mat m) => Argument.Tensor(m.Data, m.Count * sizeof(float));

    public static implicit operator KernelArgument(Argument value) => new(value);

    public static implicit operator KernelArgument(float* p) => new(p);

    public static implicit operator KernelArgument(int* p) => new(p);

    public static implicit operator KernelArgument(ulong* p) => new(p);

    public static implicit operator KernelArgument(long x) => new(x);

    public static implicit operator KernelArgument(int x) => new(x);

    public static implicit operator KernelArgument(float x) => new(x);
}
