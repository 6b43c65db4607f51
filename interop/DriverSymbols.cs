using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>The driver's exported symbols, as <see cref="NvidiaDriver"/> calls them. Source: cuda.h.</summary>
internal static unsafe partial class DriverSymbols
{
    internal const string Cuda = "cuda";

    [LibraryImport(Cuda)]
    internal static partial int cuInit(uint flags);

    [LibraryImport(Cuda)]
    internal static partial int cuDriverGetVersion(out int version);

    [LibraryImport(Cuda)]
    internal static partial int cuDeviceGetCount(out int count);

    [LibraryImport(Cuda)]
    internal static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Cuda)]
    internal static partial int cuDeviceGetName(byte* name, int length, int device);

    [LibraryImport(Cuda)]
    internal static partial int cuDeviceGetUuid_v2(byte* uuid, int device);

    [LibraryImport(Cuda)]
    internal static partial int cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Cuda)]
    internal static partial int cuDeviceGetAttribute(out int value, DeviceAttribute attribute, int device);

    [LibraryImport(Cuda)]
    internal static partial int cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Cuda)]
    internal static partial int cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Cuda)]
    internal static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Cuda)]
    internal static partial int cuCtxSynchronize();

    [LibraryImport(Cuda)]
    internal static partial int cuModuleLoadDataEx(
        out nint module,
        byte* image,
        uint count,
        JitOption* options,
        void** values
    );

    [LibraryImport(Cuda)]
    internal static partial int cuModuleUnload(nint module);

    [LibraryImport(Cuda)]
    internal static partial int cuModuleGetFunction(out nint function, nint module, byte* name);

    [LibraryImport(Cuda)]
    internal static partial int cuFuncGetAttribute(out int value, FunctionAttribute attribute, nint function);

    [LibraryImport(Cuda)]
    internal static partial int cuFuncSetAttribute(nint function, FunctionAttribute attribute, int value);

    [LibraryImport(Cuda)]
    internal static partial int cuLaunchKernel(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** parameters,
        void** extra
    );

    [LibraryImport(Cuda)]
    internal static partial int cuMemGetInfo_v2(out nuint free, out nuint total);

    [LibraryImport(Cuda)]
    internal static partial int cuMemAlloc_v2(out ulong address, nuint bytes);

    [LibraryImport(Cuda)]
    internal static partial int cuMemFree_v2(ulong address);

    [LibraryImport(Cuda)]
    internal static partial int cuMemHostAlloc(out void* pointer, nuint bytes, uint flags);

    [LibraryImport(Cuda)]
    internal static partial int cuMemFreeHost(void* pointer);

    [LibraryImport(Cuda)]
    internal static partial int cuMemcpyHtoDAsync_v2(ulong to, void* from, nuint bytes, nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuMemcpyDtoHAsync_v2(void* to, ulong from, nuint bytes, nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuMemcpyDtoDAsync_v2(ulong to, ulong from, nuint bytes, nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuMemsetD32Async(ulong to, uint value, nuint count, nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Cuda)]
    internal static partial int cuStreamDestroy_v2(nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuStreamSynchronize(nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuStreamBeginCapture_v2(nint stream, CaptureMode mode);

    [LibraryImport(Cuda)]
    internal static partial int cuStreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Cuda)]
    internal static partial int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [LibraryImport(Cuda)]
    internal static partial int cuGraphLaunch(nint executable, nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuGraphExecDestroy(nint executable);

    [LibraryImport(Cuda)]
    internal static partial int cuGraphDestroy(nint graph);

    [LibraryImport(Cuda)]
    internal static partial int cuEventCreate(out nint handle, uint flags);

    [LibraryImport(Cuda)]
    internal static partial int cuEventRecord(nint handle, nint stream);

    [LibraryImport(Cuda)]
    internal static partial int cuEventSynchronize(nint handle);

    [LibraryImport(Cuda)]
    internal static partial int cuEventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Cuda)]
    internal static partial int cuEventDestroy_v2(nint handle);
}
