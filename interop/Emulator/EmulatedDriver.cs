using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Interop.Emulator;

/// <summary>
/// A CUDA driver whose device is this CPU: it runs the PTX that is shipped, with the driver's interface and rules. Work
/// on a stream is queued and runs when somebody waits for it, so code that forgets to wait reads old data here too.
/// Capture records and replays. A kernel's fault is reported as the driver would (IllegalAddress, LaunchFailed) and
/// stays; <see cref="Fault"/> says more than a GPU can.
/// </summary>
/// <param name="memoryBytes">What the device has.</param>
public sealed unsafe class EmulatedDriver(EmulationOptions? options = null, long memoryBytes = 8L << 30)
    : ICudaDriver,
        IDisposable
{
    private readonly EmulationOptions options = options ?? new EmulationOptions();
    private readonly DeviceMemory memory = new(memoryBytes, options ?? new EmulationOptions());
    private readonly EmulatedHandles handles = new();
    private readonly EmulatedStreams streams = new(options ?? new EmulationOptions());
    private readonly HashSet<nint> hostAllocations = [];
    private int contexts;

    private sealed class Event
    {
        public long Time;
    }

    /// <summary>
    /// As a run uses it. For drills: LUT_EMULATOR_MIB is the device's memory, LUT_EMULATOR_LOST_AFTER the number of
    /// launches after which the device is lost.
    /// </summary>
    public static EmulatedDriver FromEnvironment()
    {
        static long Number(string variable, long otherwise) =>
            long.TryParse(
                Environment.GetEnvironmentVariable(variable),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out long n
            )
                ? n
                : otherwise;
        return new EmulatedDriver(memoryBytes: Number("LUT_EMULATOR_MIB", 8 << 10) << 20)
        {
            LostAfter = Number("LUT_EMULATOR_LOST_AFTER", long.MaxValue),
        };
    }

    private long LostAfter { get; init; } = long.MaxValue;
    private long launched;

    public string Name => "emulator";

    /// <summary>What went wrong in a kernel, or null.</summary>
    public Exception? Fault => streams.Fault;

    /// <summary>
    /// Everything that was created and not destroyed: contexts, modules, streams, events, graphs, device and host
    /// memory.
    /// </summary>
    public int LiveHandles => contexts + handles.Count(h => h is not PtxKernel) + memory.Count + hostAllocations.Count;

    /// <summary>Calls return this from the next one on, as after a device is lost; for tests.</summary>
    public void Fail(CudaResult code) => streams.Code = (int)code;

    public int Init(uint flags) => 0;

    public int DriverGetVersion(out int version) => Ok(version = 13000);

    public int DeviceGetCount(out int count) => Ok(count = 1);

    public int DeviceGet(out int device, int ordinal) => ordinal == (device = 0) ? 0 : (int)CudaResult.InvalidDevice;

    public int DeviceGetName(byte* name, int length, int device)
    {
        byte[] text = Encoding.ASCII.GetBytes("PTX emulator\0");
        text.AsSpan(0, Math.Min(length, text.Length)).CopyTo(new Span<byte>(name, length));
        return 0;
    }

    public int DeviceGetUuid(byte* uuid, int device)
    {
        new Span<byte>(uuid, 16).Clear();
        return 0;
    }

    public int DeviceTotalMem(out nuint bytes, int device) => Ok(bytes = (nuint)memory.Limit);

    public int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device) =>
        Ok(value = options.Attribute(attribute));

    public int DevicePrimaryCtxRetain(out nint context, int device)
    {
        contexts++;
        return Ok(context = 1);
    }

    public int DevicePrimaryCtxRelease(int device)
    {
        if (contexts == 0)
            return (int)CudaResult.InvalidContext;
        contexts--;
        return 0;
    }

    public int CtxSetCurrent(nint context) => context is 0 or 1 ? streams.Code : (int)CudaResult.InvalidContext;

    public int CtxSynchronize()
    {
        streams.DrainAll();
        return streams.Code;
    }

    public int ModuleLoadDataEx(out nint module, byte* image, uint count, JitOption* options, void** values)
    {
        module = 0;
        try
        {
            module = Add(EmulatedModule.Read(image));
            return streams.Code;
        }
        catch (PtxException e)
        {
            EmulatedModule.WriteLog(e.Message, new ReadOnlySpan<JitOption>(options, (int)count), values);
            return (int)CudaResult.InvalidPtx;
        }
    }

    public int ModuleUnload(nint module) => Remove<EmulatedModule>(module);

    public int ModuleGetFunction(out nint function, nint module, byte* name)
    {
        function = 0;
        if (!Find<EmulatedModule>(module, out var loaded))
            return (int)CudaResult.InvalidHandle;
        if (loaded.Find(name) is not { } kernel)
            return (int)CudaResult.NotFound;
        function = handles.Of(kernel);
        if (function == 0)
            function = Add(kernel);
        return streams.Code;
    }

    public int FuncGetAttribute(out int value, FunctionAttribute attribute, nint function)
    {
        value = 0;
        if (!Find<PtxKernel>(function, out var kernel))
            return (int)CudaResult.InvalidHandle;
        value = attribute switch
        {
            FunctionAttribute.SharedSizeBytes => kernel.SharedBytes,
            FunctionAttribute.MaxThreadsPerBlock => kernel.MaxThreads,
            _ => 0,
        };
        return streams.Code;
    }

    public int FuncSetAttribute(nint function, FunctionAttribute attribute, int value) =>
        Find<PtxKernel>(function, out _) ? streams.Code : (int)CudaResult.InvalidHandle;

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
    )
    {
        if (!Find<PtxKernel>(function, out var kernel))
            return (int)CudaResult.InvalidHandle;
        if (
            Launch.Of(kernel, (gridX, gridY, gridZ), (blockX, blockY, blockZ), sharedBytes, parameters)
            is not { } launch
        )
            return (int)CudaResult.InvalidValue;
        return streams.Add(
            stream,
            () =>
            {
                if (++launched > LostAfter)
                    streams.Code = (int)CudaResult.EccUncorrectable;
                else
                    launch.Run(memory, options);
            }
        );
    }

    public int MemGetInfo(out nuint free, out nuint total)
    {
        (free, total) = ((nuint)(memory.Limit - memory.Used), (nuint)memory.Limit);
        return streams.Code;
    }

    public int MemAlloc(out ulong address, nuint bytes)
    {
        address = streams.Code == 0 ? memory.Allocate(bytes) : 0;
        return streams.Code != 0 ? streams.Code
            : address == 0 ? (int)CudaResult.OutOfMemory
            : 0;
    }

    public int MemFree(ulong address)
    {
        CtxSynchronize();
        return memory.Free(address) ? 0 : (int)CudaResult.InvalidValue;
    }

    public int MemHostAlloc(out void* pointer, nuint bytes, uint flags)
    {
        pointer = NativeMemory.AlignedAlloc(bytes, 4096);
        if (!options.Execute)
            NativeMemory.Clear(pointer, bytes); // what is read back is 0
        hostAllocations.Add((nint)pointer);
        return streams.Code;
    }

    public int MemFreeHost(void* pointer)
    {
        if (!hostAllocations.Remove((nint)pointer))
            return (int)CudaResult.InvalidValue;
        NativeMemory.AlignedFree(pointer);
        return 0;
    }

    public int MemcpyHtoDAsync(ulong to, void* from, nuint bytes, nint stream)
    {
        nint source = (nint)from;
        return streams.Add(stream, () => Buffer.MemoryCopy((void*)source, memory.HostWritten(to, bytes), bytes, bytes));
    }

    public int MemcpyDtoHAsync(void* to, ulong from, nuint bytes, nint stream)
    {
        nint target = (nint)to;
        return streams.Add(stream, () => Buffer.MemoryCopy(memory.Host(from, bytes), (void*)target, bytes, bytes));
    }

    public int MemcpyDtoDAsync(ulong to, ulong from, nuint bytes, nint stream) =>
        streams.Add(
            stream,
            () => Buffer.MemoryCopy(memory.Host(from, bytes), memory.HostWritten(to, bytes), bytes, bytes)
        );

    public int MemsetD32Async(ulong to, uint value, nuint count, nint stream) =>
        streams.Add(stream, () => new Span<uint>(memory.HostWritten(to, 4 * count), (int)count).Fill(value));

    public int StreamCreate(out nint stream, uint flags)
    {
        var work = new Queue<Action>();
        stream = Add(work);
        streams.Open(stream, work);
        return streams.Code;
    }

    public int StreamDestroy(nint stream)
    {
        streams.Close(stream);
        return Remove<Queue<Action>>(stream);
    }

    public int StreamSynchronize(nint stream) => streams.Synchronize(stream);

    public int StreamBeginCapture(nint stream, CaptureMode mode) => streams.BeginCapture(stream);

    public int StreamEndCapture(nint stream, out nint graph)
    {
        graph = 0;
        if (streams.EndCapture(stream) is not { } captured)
            return (int)CudaResult.StreamCaptureUnmatched;
        graph = Add(captured);
        return streams.Code;
    }

    public int GraphInstantiateWithFlags(out nint executable, nint graph, ulong flags)
    {
        executable = 0;
        if (!Find<List<Action>>(graph, out var g))
            return (int)CudaResult.InvalidHandle;
        executable = Add(g.ToArray());
        return streams.Code;
    }

    public int GraphLaunch(nint executable, nint stream)
    {
        if (!Find<Action[]>(executable, out var actions))
            return (int)CudaResult.InvalidHandle;
        int code = streams.Code;
        foreach (var action in actions)
            code = streams.Add(stream, action);
        return code;
    }

    public int GraphExecDestroy(nint executable) => Remove<Action[]>(executable);

    public int GraphDestroy(nint graph) => Remove<List<Action>>(graph);

    public int EventCreate(out nint handle, uint flags)
    {
        handle = Add(new Event());
        return streams.Code;
    }

    public int EventRecord(nint handle, nint stream) =>
        Find<Event>(handle, out var e)
            ? streams.Add(stream, () => e.Time = Stopwatch.GetTimestamp())
            : (int)CudaResult.InvalidHandle;

    public int EventSynchronize(nint handle) =>
        Find<Event>(handle, out _) ? CtxSynchronize() : (int)CudaResult.InvalidHandle;

    public int EventElapsedTime(out float milliseconds, nint start, nint end)
    {
        milliseconds = 0;
        if (!Find<Event>(start, out var a) || !Find<Event>(end, out var b))
            return (int)CudaResult.InvalidHandle;
        if (options.Execute && (a.Time == 0 || b.Time == 0))
            return (int)CudaResult.NotReady;
        milliseconds = (float)Stopwatch.GetElapsedTime(a.Time, b.Time).TotalMilliseconds;
        return streams.Code;
    }

    public int EventDestroy(nint handle) => Remove<Event>(handle);

    public void Dispose() => memory.Dispose();

    private static int Ok<T>(T value) => 0;

    /// <summary>For libraries of this device: work in a stream's order.</summary>
    internal int Enqueue(nint stream, Action action) => streams.Add(stream, action);

    // for libraries of this device

    /// <summary>Where bytes of device memory lie on the host; see <see cref="DeviceMemory.Host"/>.</summary>
    internal byte* Host(ulong address, ulong bytes) => memory.Host(address, bytes);

    /// <summary>The same, to be written.</summary>
    internal byte* HostWritten(ulong address, ulong bytes) => memory.HostWritten(address, bytes);

    internal nint Add(object o) => handles.Add(o);

    internal bool Find<T>(nint handle, out T found)
        where T : class => handles.Find(handle, out found);

    internal int Remove<T>(nint handle)
        where T : class => handles.Remove<T>(handle);
}
