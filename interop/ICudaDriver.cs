namespace LutNative.Interop;

/// <summary>
/// The calls of the CUDA driver that this project makes, with the driver's names and argument order. Every one returns
/// a CUresult (0 is success); nothing here throws or knows tensors. Two implementations: <see cref="NvidiaDriver"/> and
/// <see cref="Emulator.EmulatedDriver"/>, which runs the same PTX on the CPU. Handles are pointer-sized, device
/// addresses 64-bit. Source: CUDA driver API, version 12.0 (13 keeps these entry points).
/// </summary>
public unsafe interface ICudaDriver
{
    /// <summary>The library's path, or "emulator".</summary>
    string Name { get; }

    int Init(uint flags);
    int DriverGetVersion(out int version);
    int DeviceGetCount(out int count);
    int DeviceGet(out int device, int ordinal);
    int DeviceGetName(byte* name, int length, int device);
    int DeviceGetUuid(byte* uuid, int device);
    int DeviceTotalMem(out nuint bytes, int device);
    int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device);

    int DevicePrimaryCtxRetain(out nint context, int device);
    int DevicePrimaryCtxRelease(int device);
    int CtxSetCurrent(nint context);
    int CtxSynchronize();

    int ModuleLoadDataEx(out nint module, byte* image, uint count, JitOption* options, void** values);
    int ModuleUnload(nint module);
    int ModuleGetFunction(out nint function, nint module, byte* name);
    int FuncGetAttribute(out int value, FunctionAttribute attribute, nint function);
    int FuncSetAttribute(nint function, FunctionAttribute attribute, int value);
    int LaunchKernel(
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

    int MemGetInfo(out nuint free, out nuint total);
    int MemAlloc(out ulong address, nuint bytes);
    int MemFree(ulong address);
    int MemHostAlloc(out void* pointer, nuint bytes, uint flags);
    int MemFreeHost(void* pointer);
    int MemcpyHtoDAsync(ulong to, void* from, nuint bytes, nint stream);
    int MemcpyDtoHAsync(void* to, ulong from, nuint bytes, nint stream);
    int MemcpyDtoDAsync(ulong to, ulong from, nuint bytes, nint stream);
    int MemsetD32Async(ulong to, uint value, nuint count, nint stream);

    int StreamCreate(out nint stream, uint flags);
    int StreamDestroy(nint stream);
    int StreamSynchronize(nint stream);
    int StreamBeginCapture(nint stream, CaptureMode mode);
    int StreamEndCapture(nint stream, out nint graph);
    int GraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);
    int GraphLaunch(nint executable, nint stream);
    int GraphExecDestroy(nint executable);
    int GraphDestroy(nint graph);

    int EventCreate(out nint handle, uint flags);
    int EventRecord(nint handle, nint stream);
    int EventSynchronize(nint handle);
    int EventElapsedTime(out float milliseconds, nint start, nint end);
    int EventDestroy(nint handle);
}
