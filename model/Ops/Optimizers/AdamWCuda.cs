using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>native/kernels/optimizer.cu.</summary>
internal static unsafe class AdamWCuda
{
    internal static void Update(CudaDevice d, Mat p, Mat m, Mat v, Mat g, AdamWScalars s) =>
        d.Elements(
            "optimizer",
            "adamw",
            p.Count,
            4,
            KernelArgument.Updated(p),
            KernelArgument.Updated(m),
            KernelArgument.Updated(v),
            g,
            p.Count,
            Argument.Struct(&s)
        );
}
