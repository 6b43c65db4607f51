using System.Collections.Concurrent;
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
    private readonly Dictionary<nint, object> handles = [];
    private readonly HashSet<nint> hostAllocations = [];
    private readonly Dictionary<nint, Queue<Action>> streams = new() { [0] = new() };
    private nint nextHandle = 0x1000;
    private int contexts;
    private int sticky;
    private List<Action>? capture;
    private nint capturing;

    /// <summary>Modules do not change, so a text is read once for all drivers of the process.</summary>
    private static readonly ConcurrentDictionary<string, PtxModule> parsed = new(StringComparer.Ordinal);

    private sealed record Module(PtxModule Ptx);

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
    public Exception? Fault { get; private set; }

    /// <summary>
    /// Everything that was created and not destroyed: contexts, modules, streams, events, graphs, device and host
    /// memory.
    /// </summary>
    public int LiveHandles =>
        contexts + handles.Values.Count(h => h is not PtxKernel) + memory.Count + hostAllocations.Count;

    /// <summary>Calls return this from the next one on, as after a device is lost; for tests.</summary>
    public void Fail(CudaResult code) => sticky = (int)code;

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

    public int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device)
    {
        value = attribute switch
        {
            DeviceAttribute.MaxThreadsPerBlock => 1024,
            DeviceAttribute.MaxSharedMemoryPerBlock => 48 << 10,
            DeviceAttribute.MaxSharedMemoryPerBlockOptin => 99 << 10,
            DeviceAttribute.WarpSize => 32,
            DeviceAttribute.MaxRegistersPerBlock => 65536,
            DeviceAttribute.MultiprocessorCount => options.Multiprocessors > 0
                ? options.Multiprocessors
                : Environment.ProcessorCount,
            DeviceAttribute.ComputeCapabilityMajor => 8,
            DeviceAttribute.ComputeCapabilityMinor => 0,
            DeviceAttribute.MaxThreadsPerMultiprocessor => 2048,
            _ => 0,
        };
        return 0;
    }

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

    public int CtxSetCurrent(nint context) => context is 0 or 1 ? sticky : (int)CudaResult.InvalidContext;

    public int CtxSynchronize()
    {
        foreach (nint s in streams.Keys)
            Drain(s);
        return sticky;
    }

    public int ModuleLoadDataEx(out nint module, byte* image, uint count, JitOption* options, void** values)
    {
        module = 0;
        try
        {
            module = Add(
                new Module(
                    parsed.GetOrAdd(
                        Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(image)),
                        text => PtxParser.Parse(NameOf(text), text)
                    )
                )
            );
            return sticky;
        }
        catch (PtxException e)
        {
            for (int i = 0; i < count; i++)
                if (
                    options[i] == JitOption.ErrorLogBuffer
                    && Array.IndexOf(
                        new Span<JitOption>(options, (int)count).ToArray(),
                        JitOption.ErrorLogBufferSizeBytes
                    )
                        is >= 0
                            and int size
                )
                {
                    byte[] log = Encoding.UTF8.GetBytes(e.Message + "\0");
                    log.AsSpan(0, Math.Min(log.Length, (int)values[size]))
                        .CopyTo(new Span<byte>(values[i], (int)values[size]));
                }
            return (int)CudaResult.InvalidPtx;
        }
    }

    public int ModuleUnload(nint module) => Remove<Module>(module);

    /// <summary>For messages: the module's first kernel.</summary>
    private static string NameOf(string text) =>
        PtxSignature.ReadAll(text).FirstOrDefault() is { } first ? $"module of {first.Name}" : "module";

    public int ModuleGetFunction(out nint function, nint module, byte* name)
    {
        function = 0;
        if (!Find<Module>(module, out var loaded))
            return (int)CudaResult.InvalidHandle;
        if (
            !loaded.Ptx.Kernels.TryGetValue(
                Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)),
                out var kernel
            )
        )
            return (int)CudaResult.NotFound;
        function = handles.FirstOrDefault(h => h.Value == kernel).Key;
        if (function == 0)
            function = Add(kernel);
        return sticky;
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
        return sticky;
    }

    public int FuncSetAttribute(nint function, FunctionAttribute attribute, int value) =>
        Find<PtxKernel>(function, out _) ? sticky : (int)CudaResult.InvalidHandle;

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
        uint threads = blockX * blockY * blockZ;
        if (
            gridX == 0
            || gridY == 0
            || gridZ == 0
            || gridY > 65535
            || gridZ > 65535
            || threads == 0
            || threads > 1024
            || (kernel.MaxThreads > 0 && threads > kernel.MaxThreads)
        )
            return (int)CudaResult.InvalidValue;
        var arguments = new byte[kernel.ParameterBytes];
        for (int i = 0; i < kernel.Parameters.Count; i++)
            new ReadOnlySpan<byte>(parameters[i], kernel.Parameters[i].Bytes).CopyTo(
                arguments.AsSpan(kernel.Parameters[i].Offset)
            );
        var launch = new Launch(
            kernel,
            ((int)gridX, (int)gridY, (int)gridZ),
            ((int)blockX, (int)blockY, (int)blockZ),
            (int)sharedBytes,
            arguments
        );
        return Queue(
            stream,
            () =>
            {
                if (++launched > LostAfter)
                    sticky = (int)CudaResult.EccUncorrectable;
                else
                    launch.Run(memory, options);
            }
        );
    }

    public int MemGetInfo(out nuint free, out nuint total)
    {
        (free, total) = ((nuint)(memory.Limit - memory.Used), (nuint)memory.Limit);
        return sticky;
    }

    public int MemAlloc(out ulong address, nuint bytes)
    {
        address = sticky == 0 ? memory.Allocate(bytes) : 0;
        return sticky != 0 ? sticky
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
        return sticky;
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
        return Queue(
            stream,
            () =>
            {
                var a = Device(to, bytes);
                Buffer.MemoryCopy((void*)source, (void*)(to - DeviceMemory.Tag), bytes, bytes);
                DeviceMemory.Touch(a, to, bytes);
            }
        );
    }

    public int MemcpyDtoHAsync(void* to, ulong from, nuint bytes, nint stream)
    {
        nint target = (nint)to;
        return Queue(
            stream,
            () =>
            {
                Device(from, bytes);
                Buffer.MemoryCopy((void*)(from - DeviceMemory.Tag), (void*)target, bytes, bytes);
            }
        );
    }

    public int MemcpyDtoDAsync(ulong to, ulong from, nuint bytes, nint stream) =>
        Queue(
            stream,
            () =>
            {
                Device(from, bytes);
                var a = Device(to, bytes);
                Buffer.MemoryCopy((void*)(from - DeviceMemory.Tag), (void*)(to - DeviceMemory.Tag), bytes, bytes);
                DeviceMemory.Touch(a, to, bytes);
            }
        );

    public int MemsetD32Async(ulong to, uint value, nuint count, nint stream) =>
        Queue(
            stream,
            () =>
            {
                var a = Device(to, 4 * count);
                new Span<uint>((void*)(to - DeviceMemory.Tag), (int)count).Fill(value);
                DeviceMemory.Touch(a, to, 4 * count);
            }
        );

    public int StreamCreate(out nint stream, uint flags)
    {
        stream = Add(new Queue<Action>());
        streams.Add(stream, (Queue<Action>)handles[stream]);
        return sticky;
    }

    public int StreamDestroy(nint stream)
    {
        Drain(stream);
        streams.Remove(stream);
        return Remove<Queue<Action>>(stream);
    }

    public int StreamSynchronize(nint stream)
    {
        if (capture is not null)
            return (int)CudaResult.StreamCaptureUnsupported;
        return Drain(stream);
    }

    public int StreamBeginCapture(nint stream, CaptureMode mode)
    {
        if (capture is not null || !streams.ContainsKey(stream) || stream == 0)
            return (int)CudaResult.StreamCaptureUnsupported;
        (capture, capturing) = ([], stream);
        return sticky;
    }

    public int StreamEndCapture(nint stream, out nint graph)
    {
        graph = 0;
        if (capture is null || stream != capturing)
            return (int)CudaResult.StreamCaptureUnmatched;
        graph = Add(capture);
        capture = null;
        return sticky;
    }

    public int GraphInstantiateWithFlags(out nint executable, nint graph, ulong flags)
    {
        executable = 0;
        if (!Find<List<Action>>(graph, out var g))
            return (int)CudaResult.InvalidHandle;
        executable = Add(g.ToArray());
        return sticky;
    }

    public int GraphLaunch(nint executable, nint stream)
    {
        if (!Find<Action[]>(executable, out var actions))
            return (int)CudaResult.InvalidHandle;
        int code = sticky;
        foreach (var action in actions)
            code = Queue(stream, action);
        return code;
    }

    public int GraphExecDestroy(nint executable) => Remove<Action[]>(executable);

    public int GraphDestroy(nint graph) => Remove<List<Action>>(graph);

    public int EventCreate(out nint handle, uint flags)
    {
        handle = Add(new Event());
        return sticky;
    }

    public int EventRecord(nint handle, nint stream) =>
        Find<Event>(handle, out var e)
            ? Queue(stream, () => e.Time = Stopwatch.GetTimestamp())
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
        return sticky;
    }

    public int EventDestroy(nint handle) => Remove<Event>(handle);

    public void Dispose() => memory.Dispose();

    private static int Ok<T>(T value) => 0;

    private DeviceMemory.Allocation Device(ulong address, ulong bytes) =>
        memory.Find(address, Math.Max(bytes, 1))
        ?? throw new InvalidOperationException(
            FormattableString.Invariant($"a copy of {bytes} bytes at {address:x} is outside every allocation")
        );

    private int Queue(nint stream, Action action)
    {
        if (sticky != 0)
            return sticky;
        if (!streams.TryGetValue(stream, out var queue))
            return (int)CudaResult.InvalidHandle;
        if (capture is not null && stream == capturing)
            capture.Add(action);
        else
            queue.Enqueue(action);
        return 0;
    }

    private int Drain(nint stream)
    {
        if (!streams.TryGetValue(stream, out var queue))
            return (int)CudaResult.InvalidHandle;
        while (sticky == 0 && queue.TryDequeue(out var action))
            try
            {
                if (options.Execute)
                    action();
            }
            catch (Exception e) when (e is PtxFault or InvalidOperationException)
            {
                Fault = e;
                // else a copy outside of all memory
                sticky = (int)(e is PtxFault fault ? fault.Code : CudaResult.IllegalAddress);
            }
        return sticky;
    }

    /// <summary>For libraries of this device: work in a stream's order.</summary>
    internal int Enqueue(nint stream, Action action) => Queue(stream, action);

    /// <summary>
    /// Where bytes of device memory lie on the host, to be read; a kernel's fault when nobody owns them.
    /// </summary>
    internal byte* Host(ulong address, ulong bytes)
    {
        Device(address, bytes);
        return (byte*)(address - DeviceMemory.Tag);
    }

    /// <summary>The same, to be written.</summary>
    internal byte* HostWritten(ulong address, ulong bytes)
    {
        DeviceMemory.Touch(Device(address, bytes), address, bytes);
        return (byte*)(address - DeviceMemory.Tag);
    }

    internal nint Add(object o)
    {
        handles.Add(nextHandle += 16, o);
        return nextHandle;
    }

    internal bool Find<T>(nint handle, out T found)
        where T : class
    {
        found = (handles.GetValueOrDefault(handle) as T)!;
        return found is not null;
    }

    internal int Remove<T>(nint handle)
        where T : class => Find<T>(handle, out _) && handles.Remove(handle) ? 0 : (int)CudaResult.InvalidHandle;
}
