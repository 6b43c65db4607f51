using System.Text;

namespace LutNative.Interop;

/// <summary>A loaded PTX module and its kernels.</summary>
public sealed unsafe class CudaModule : IDisposable
{
    private const int LogBytes = 16 << 10;
    private readonly PrimaryContext context;
    private readonly Dictionary<string, CudaKernel> kernels = new(StringComparer.Ordinal);
    private nint handle;

    internal CudaModule(PrimaryContext context, string name, string ptx)
    {
        this.context = context;
        byte[] image = Encoding.ASCII.GetBytes(ptx + "\0");
        byte[] log = new byte[LogBytes];
        fixed (
            byte* i = image,
                l = log
        )
        {
            JitOption* options = stackalloc JitOption[] { JitOption.ErrorLogBuffer, JitOption.ErrorLogBufferSizeBytes };
            void** values = stackalloc void*[] { l, (void*)LogBytes };
            int code = context.Driver.ModuleLoadDataEx(out handle, i, 2, options, values);
            if (code != 0)
                context.Check(
                    code,
                    "cuModuleLoadDataEx",
                    $"module {name}: {Encoding.UTF8.GetString(log, 0, Math.Max(0, Array.IndexOf(log, (byte)0))).Trim()}"
                );
        }
        foreach (var signature in PtxSignature.ReadAll(ptx))
        {
            fixed (byte* text = Encoding.ASCII.GetBytes(signature.Name + "\0"))
            {
                context.Check(
                    context.Driver.ModuleGetFunction(out nint function, handle, text),
                    "cuModuleGetFunction",
                    $"{signature.Name} of module {name}"
                );
                kernels.Add(signature.Name, new CudaKernel(context, function, signature));
            }
        }
    }

    public IReadOnlyDictionary<string, CudaKernel> Kernels => kernels;

    public void Dispose()
    {
        if (handle == 0)
            return;
        context.Driver.ModuleUnload(handle);
        context.Disown(this);
        handle = 0;
    }
}

/// <summary>
/// A kernel that can be launched. Arguments are checked against the entry's parameters: the driver itself checks
/// nothing.
/// </summary>
public sealed unsafe class CudaKernel(PrimaryContext context, nint handle, PtxSignature signature)
{
    public string Name => signature.Name;

    public int Attribute(FunctionAttribute attribute)
    {
        context.Check(
            context.Driver.FuncGetAttribute(out int value, attribute, handle),
            "cuFuncGetAttribute",
            $"{attribute} of {Name}"
        );
        return value;
    }

    /// <summary>Throws when arguments are not those of the entry.</summary>
    internal void Check(ReadOnlySpan<Argument> arguments)
    {
        if (arguments.Length != signature.Parameters.Count)
            throw new ArgumentException(
                $"kernel {Name} takes {signature.Parameters.Count} arguments, {arguments.Length} were given"
            );
        for (int i = 0; i < arguments.Length; i++)
            if (arguments[i].Bytes != signature.Parameters[i].Bytes)
                throw new ArgumentException(
                    $"argument {i} of kernel {Name} has {arguments[i].Bytes} bytes, its parameter "
                        + $"{signature.Parameters[i].Bytes}"
                );
    }

    /// <summary>Bytes that an argument takes among <see cref="Launch"/>'s.</summary>
    internal static int Padded(int bytes) => (bytes + 7) / 8 * 8;

    /// <summary>arguments: one after the other, each from a multiple of 8 bytes on.</summary>
    internal void Launch(CudaStream stream, (long X, long Y, long Z) grid, int threads, byte* arguments)
    {
        int n = signature.Parameters.Count;
        void** pointers = stackalloc void*[n + 1];
        for (int i = 0; i < n; arguments += Padded(signature.Parameters[i++].Bytes))
            pointers[i] = arguments;
        context.Check(
            context.Driver.LaunchKernel(
                handle,
                checked((uint)grid.X),
                checked((uint)grid.Y),
                checked((uint)grid.Z),
                (uint)threads,
                1,
                1,
                0,
                stream.Handle,
                pointers,
                null
            ),
            "cuLaunchKernel",
            FormattableString.Invariant($"kernel {Name}, grid {grid.X} x {grid.Y} x {grid.Z}, {threads} threads")
        );
    }
}

/// <summary>One kernel argument: a value of up to 8 bytes, or a struct elsewhere.</summary>
public readonly unsafe struct Argument
{
    private readonly ulong value;
    private readonly void* outside;
    internal readonly int Bytes;

    /// <summary>What the tensor holds that this points to, where that is known.</summary>
    internal readonly long TensorBytes;

    private Argument(ulong value, int bytes, long tensorBytes = 0)
    {
        this.value = value;
        Bytes = bytes;
        TensorBytes = tensorBytes;
    }

    private Argument(void* outside, int bytes)
    {
        this.outside = outside;
        Bytes = bytes;
    }

    internal void CopyTo(byte* to)
    {
        if (outside != null)
            Buffer.MemoryCopy(outside, to, Bytes, Bytes);
        else if (Bytes == 8)
            *(ulong*)to = value;
        else
            *(uint*)to = (uint)value;
    }

    /// <summary>A struct by value; it must stay where it is during the launch.</summary>
    public static Argument Struct<T>(T* value)
        where T : unmanaged => new(value, sizeof(T));

    /// <summary>A tensor of so many bytes, which may be none.</summary>
    public static Argument Tensor(void* p, long bytes) => new((ulong)p, 8, p == null ? 0 : bytes);

    public static implicit operator Argument(float* p) => new((ulong)p, 8);

    public static implicit operator Argument(int* p) => new((ulong)p, 8);

    public static implicit operator Argument(ulong* p) => new((ulong)p, 8);

    public static implicit operator Argument(long x) => new((ulong)x, 8);

    public static implicit operator Argument(int x) => new((uint)x, 4);

    public static implicit operator Argument(float x) => new(BitConverter.SingleToUInt32Bits(x), 4);
}
