namespace LutNative.Interop;

/// <summary>
/// The CUDA driver of this machine. Names are the exported symbols of CUDA 12.0, which every later driver keeps; where
/// one ends in _v2, the name without it is an older interface. Source: cuda.h.
/// </summary>
public sealed unsafe class NvidiaDriver : ICudaDriver
{
    /// <exception cref="DllNotFoundException">
    /// There is no driver library, or it lacks an entry point; the message says which and where it was looked for.
    /// </exception>
    public NvidiaDriver() =>
        Name = NativeLibraries.Require(DriverSymbols.Cuda, EntryPoints, "a CUDA driver of version 12.0 or later");

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

    public int Init(uint flags) => DriverSymbols.cuInit(flags);

    public int DriverGetVersion(out int version) => DriverSymbols.cuDriverGetVersion(out version);

    public int DeviceGetCount(out int count) => DriverSymbols.cuDeviceGetCount(out count);

    public int DeviceGet(out int device, int ordinal) => DriverSymbols.cuDeviceGet(out device, ordinal);

    public int DeviceGetName(byte* name, int length, int device) => DriverSymbols.cuDeviceGetName(name, length, device);

    public int DeviceGetUuid(byte* uuid, int device) => DriverSymbols.cuDeviceGetUuid_v2(uuid, device);

    public int DeviceTotalMem(out nuint bytes, int device) => DriverSymbols.cuDeviceTotalMem_v2(out bytes, device);

    public int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device) =>
        DriverSymbols.cuDeviceGetAttribute(out value, attribute, device);

    public int DevicePrimaryCtxRetain(out nint context, int device) =>
        DriverSymbols.cuDevicePrimaryCtxRetain(out context, device);

    public int DevicePrimaryCtxRelease(int device) => DriverSymbols.cuDevicePrimaryCtxRelease_v2(device);

    public int CtxSetCurrent(nint context) => DriverSymbols.cuCtxSetCurrent(context);

    public int CtxSynchronize() => DriverSymbols.cuCtxSynchronize();

    public int ModuleLoadDataEx(out nint module, byte* image, uint count, JitOption* options, void** values) =>
        DriverSymbols.cuModuleLoadDataEx(out module, image, count, options, values);

    public int ModuleUnload(nint module) => DriverSymbols.cuModuleUnload(module);

    public int ModuleGetFunction(out nint function, nint module, byte* name) =>
        DriverSymbols.cuModuleGetFunction(out function, module, name);

    public int FuncGetAttribute(out int value, FunctionAttribute attribute, nint function) =>
        DriverSymbols.cuFuncGetAttribute(out value, attribute, function);

    public int FuncSetAttribute(nint function, FunctionAttribute attribute, int value) =>
        DriverSymbols.cuFuncSetAttribute(function, attribute, value);

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
    ) =>
        DriverSymbols.cuLaunchKernel(
            function,
            gridX,
            gridY,
            gridZ,
            blockX,
            blockY,
            blockZ,
            sharedBytes,
            stream,
            parameters,
            extra
        );

    public int MemGetInfo(out nuint free, out nuint total) => DriverSymbols.cuMemGetInfo_v2(out free, out total);

    public int MemAlloc(out ulong address, nuint bytes) => DriverSymbols.cuMemAlloc_v2(out address, bytes);

    public int MemFree(ulong address) => DriverSymbols.cuMemFree_v2(address);

    public int MemHostAlloc(out void* pointer, nuint bytes, uint flags) =>
        DriverSymbols.cuMemHostAlloc(out pointer, bytes, flags);

    public int MemFreeHost(void* pointer) => DriverSymbols.cuMemFreeHost(pointer);

    public int MemcpyHtoDAsync(ulong to, void* from, nuint bytes, nint stream) =>
        DriverSymbols.cuMemcpyHtoDAsync_v2(to, from, bytes, stream);

    public int MemcpyDtoHAsync(void* to, ulong from, nuint bytes, nint stream) =>
        DriverSymbols.cuMemcpyDtoHAsync_v2(to, from, bytes, stream);

    public int MemcpyDtoDAsync(ulong to, ulong from, nuint bytes, nint stream) =>
        DriverSymbols.cuMemcpyDtoDAsync_v2(to, from, bytes, stream);

    public int MemsetD32Async(ulong to, uint value, nuint count, nint stream) =>
        DriverSymbols.cuMemsetD32Async(to, value, count, stream);

    public int StreamCreate(out nint stream, uint flags) => DriverSymbols.cuStreamCreate(out stream, flags);

    public int StreamDestroy(nint stream) => DriverSymbols.cuStreamDestroy_v2(stream);

    public int StreamSynchronize(nint stream) => DriverSymbols.cuStreamSynchronize(stream);

    public int StreamBeginCapture(nint stream, CaptureMode mode) => DriverSymbols.cuStreamBeginCapture_v2(stream, mode);

    public int StreamEndCapture(nint stream, out nint graph) => DriverSymbols.cuStreamEndCapture(stream, out graph);

    public int GraphInstantiateWithFlags(out nint executable, nint graph, ulong flags) =>
        DriverSymbols.cuGraphInstantiateWithFlags(out executable, graph, flags);

    public int GraphLaunch(nint executable, nint stream) => DriverSymbols.cuGraphLaunch(executable, stream);

    public int GraphExecDestroy(nint executable) => DriverSymbols.cuGraphExecDestroy(executable);

    public int GraphDestroy(nint graph) => DriverSymbols.cuGraphDestroy(graph);

    public int EventCreate(out nint handle, uint flags) => DriverSymbols.cuEventCreate(out handle, flags);

    public int EventRecord(nint handle, nint stream) => DriverSymbols.cuEventRecord(handle, stream);

    public int EventSynchronize(nint handle) => DriverSymbols.cuEventSynchronize(handle);

    public int EventElapsedTime(out float milliseconds, nint start, nint end) =>
        DriverSymbols.cuEventElapsedTime(out milliseconds, start, end);

    public int EventDestroy(nint handle) => DriverSymbols.cuEventDestroy_v2(handle);
}
