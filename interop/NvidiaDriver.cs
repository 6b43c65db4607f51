using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>
/// The CUDA driver of this machine. Names are the exported symbols of CUDA 12.0, which every later driver keeps; where
/// one ends in _v2, the name without it is an older interface. Source: cuda.h.
/// </summary>
public sealed unsafe partial class NvidiaDriver : ICudaDriver
{
    private const string Cuda = "cuda";

    /// <exception cref="DllNotFoundException">
    /// There is no driver library, or it lacks an entry point; the message says which and where it was looked for.
    /// </exception>
    public NvidiaDriver() =>
        Name = NativeLibraries.Require(Cuda, EntryPoints, "a CUDA driver of version 12.0 or later");

    public string Name { get; }

    /// <summary>Every entry point that is called.</summary>
    public static IReadOnlyList<string> EntryPoints { get; } =
    [
        "cuInit",
        "cuDriverGetVersion",
        "cuDeviceGetCount",
        "cuDeviceGet",
        "cuDeviceGetName",
        "cuDeviceGetUuid_v2",
        "cuDeviceTotalMem_v2",
        "cuDeviceGetAttribute",
        "cuDevicePrimaryCtxRetain",
        "cuDevicePrimaryCtxRelease_v2",
        "cuCtxSetCurrent",
        "cuCtxSynchronize",
        "cuModuleLoadDataEx",
        "cuModuleUnload",
        "cuModuleGetFunction",
        "cuFuncGetAttribute",
        "cuFuncSetAttribute",
        "cuLaunchKernel",
        "cuMemGetInfo_v2",
        "cuMemAlloc_v2",
        "cuMemFree_v2",
        "cuMemHostAlloc",
        "cuMemFreeHost",
        "cuMemcpyHtoDAsync_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuMemcpyDtoDAsync_v2",
        "cuMemsetD32Async",
        "cuStreamCreate",
        "cuStreamDestroy_v2",
        "cuStreamSynchronize",
        "cuStreamBeginCapture_v2",
        "cuStreamEndCapture",
        "cuGraphInstantiateWithFlags",
        "cuGraphLaunch",
        "cuGraphExecDestroy",
        "cuGraphDestroy",
        "cuEventCreate",
        "cuEventRecord",
        "cuEventSynchronize",
        "cuEventElapsedTime",
        "cuEventDestroy_v2",
    ];

    public int Init(uint flags) => cuInit(flags);

    public int DriverGetVersion(out int version) => cuDriverGetVersion(out version);

    public int DeviceGetCount(out int count) => cuDeviceGetCount(out count);

    public int DeviceGet(out int device, int ordinal) => cuDeviceGet(out device, ordinal);

    public int DeviceGetName(byte* name, int length, int device) => cuDeviceGetName(name, length, device);

    public int DeviceGetUuid(byte* uuid, int device) => cuDeviceGetUuid_v2(uuid, device);

    public int DeviceTotalMem(out nuint bytes, int device) => cuDeviceTotalMem_v2(out bytes, device);

    public int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device) =>
        cuDeviceGetAttribute(out value, attribute, device);

    public int DevicePrimaryCtxRetain(out nint context, int device) => cuDevicePrimaryCtxRetain(out context, device);

    public int DevicePrimaryCtxRelease(int device) => cuDevicePrimaryCtxRelease_v2(device);

    public int CtxSetCurrent(nint context) => cuCtxSetCurrent(context);

    public int CtxSynchronize() => cuCtxSynchronize();

    public int ModuleLoadDataEx(out nint module, byte* image, uint count, JitOption* options, void** values) =>
        cuModuleLoadDataEx(out module, image, count, options, values);

    public int ModuleUnload(nint module) => cuModuleUnload(module);

    public int ModuleGetFunction(out nint function, nint module, byte* name) =>
        cuModuleGetFunction(out function, module, name);

    public int FuncGetAttribute(out int value, FunctionAttribute attribute, nint function) =>
        cuFuncGetAttribute(out value, attribute, function);

    public int FuncSetAttribute(nint function, FunctionAttribute attribute, int value) =>
        cuFuncSetAttribute(function, attribute, value);

    public int LaunchKernel(
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
    ) => cuLaunchKernel(function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, parameters, extra);

    public int MemGetInfo(out nuint free, out nuint total) => cuMemGetInfo_v2(out free, out total);

    public int MemAlloc(out ulong address, nuint bytes) => cuMemAlloc_v2(out address, bytes);

    public int MemFree(ulong address) => cuMemFree_v2(address);

    public int MemHostAlloc(out void* pointer, nuint bytes, uint flags) => cuMemHostAlloc(out pointer, bytes, flags);

    public int MemFreeHost(void* pointer) => cuMemFreeHost(pointer);

    public int MemcpyHtoDAsync(ulong to, void* from, nuint bytes, nint stream) =>
        cuMemcpyHtoDAsync_v2(to, from, bytes, stream);

    public int MemcpyDtoHAsync(void* to, ulong from, nuint bytes, nint stream) =>
        cuMemcpyDtoHAsync_v2(to, from, bytes, stream);

    public int MemcpyDtoDAsync(ulong to, ulong from, nuint bytes, nint stream) =>
        cuMemcpyDtoDAsync_v2(to, from, bytes, stream);

    public int MemsetD32Async(ulong to, uint value, nuint count, nint stream) =>
        cuMemsetD32Async(to, value, count, stream);

    public int StreamCreate(out nint stream, uint flags) => cuStreamCreate(out stream, flags);

    public int StreamDestroy(nint stream) => cuStreamDestroy_v2(stream);

    public int StreamSynchronize(nint stream) => cuStreamSynchronize(stream);

    public int StreamBeginCapture(nint stream, CaptureMode mode) => cuStreamBeginCapture_v2(stream, mode);

    public int StreamEndCapture(nint stream, out nint graph) => cuStreamEndCapture(stream, out graph);

    public int GraphInstantiateWithFlags(out nint executable, nint graph, ulong flags) =>
        cuGraphInstantiateWithFlags(out executable, graph, flags);

    public int GraphLaunch(nint executable, nint stream) => cuGraphLaunch(executable, stream);

    public int GraphExecDestroy(nint executable) => cuGraphExecDestroy(executable);

    public int GraphDestroy(nint graph) => cuGraphDestroy(graph);

    public int EventCreate(out nint handle, uint flags) => cuEventCreate(out handle, flags);

    public int EventRecord(nint handle, nint stream) => cuEventRecord(handle, stream);

    public int EventSynchronize(nint handle) => cuEventSynchronize(handle);

    public int EventElapsedTime(out float milliseconds, nint start, nint end) =>
        cuEventElapsedTime(out milliseconds, start, end);

    public int EventDestroy(nint handle) => cuEventDestroy_v2(handle);

    [LibraryImport(Cuda)]
    private static partial int cuInit(uint flags);

    [LibraryImport(Cuda)]
    private static partial int cuDriverGetVersion(out int version);

    [LibraryImport(Cuda)]
    private static partial int cuDeviceGetCount(out int count);

    [LibraryImport(Cuda)]
    private static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Cuda)]
    private static partial int cuDeviceGetName(byte* name, int length, int device);

    [LibraryImport(Cuda)]
    private static partial int cuDeviceGetUuid_v2(byte* uuid, int device);

    [LibraryImport(Cuda)]
    private static partial int cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Cuda)]
    private static partial int cuDeviceGetAttribute(out int value, DeviceAttribute attribute, int device);

    [LibraryImport(Cuda)]
    private static partial int cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Cuda)]
    private static partial int cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Cuda)]
    private static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Cuda)]
    private static partial int cuCtxSynchronize();

    [LibraryImport(Cuda)]
    private static partial int cuModuleLoadDataEx(
        out nint module,
        byte* image,
        uint count,
        JitOption* options,
        void** values
    );

    [LibraryImport(Cuda)]
    private static partial int cuModuleUnload(nint module);

    [LibraryImport(Cuda)]
    private static partial int cuModuleGetFunction(out nint function, nint module, byte* name);

    [LibraryImport(Cuda)]
    private static partial int cuFuncGetAttribute(out int value, FunctionAttribute attribute, nint function);

    [LibraryImport(Cuda)]
    private static partial int cuFuncSetAttribute(nint function, FunctionAttribute attribute, int value);

    [LibraryImport(Cuda)]
    private static partial int cuLaunchKernel(
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
    private static partial int cuMemGetInfo_v2(out nuint free, out nuint total);

    [LibraryImport(Cuda)]
    private static partial int cuMemAlloc_v2(out ulong address, nuint bytes);

    [LibraryImport(Cuda)]
    private static partial int cuMemFree_v2(ulong address);

    [LibraryImport(Cuda)]
    private static partial int cuMemHostAlloc(out void* pointer, nuint bytes, uint flags);

    [LibraryImport(Cuda)]
    private static partial int cuMemFreeHost(void* pointer);

    [LibraryImport(Cuda)]
    private static partial int cuMemcpyHtoDAsync_v2(ulong to, void* from, nuint bytes, nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuMemcpyDtoHAsync_v2(void* to, ulong from, nuint bytes, nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuMemcpyDtoDAsync_v2(ulong to, ulong from, nuint bytes, nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuMemsetD32Async(ulong to, uint value, nuint count, nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Cuda)]
    private static partial int cuStreamDestroy_v2(nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuStreamSynchronize(nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuStreamBeginCapture_v2(nint stream, CaptureMode mode);

    [LibraryImport(Cuda)]
    private static partial int cuStreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Cuda)]
    private static partial int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [LibraryImport(Cuda)]
    private static partial int cuGraphLaunch(nint executable, nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuGraphExecDestroy(nint executable);

    [LibraryImport(Cuda)]
    private static partial int cuGraphDestroy(nint graph);

    [LibraryImport(Cuda)]
    private static partial int cuEventCreate(out nint handle, uint flags);

    [LibraryImport(Cuda)]
    private static partial int cuEventRecord(nint handle, nint stream);

    [LibraryImport(Cuda)]
    private static partial int cuEventSynchronize(nint handle);

    [LibraryImport(Cuda)]
    private static partial int cuEventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Cuda)]
    private static partial int cuEventDestroy_v2(nint handle);
}
