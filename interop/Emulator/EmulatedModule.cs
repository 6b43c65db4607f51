using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Interop.Emulator;

/// <summary>A module that a driver has loaded.</summary>
internal sealed unsafe record EmulatedModule(PtxModule Ptx)
{
    /// <summary>Modules do not change, so a text is read once for all drivers of the process.</summary>
    private static readonly ConcurrentDictionary<string, PtxModule> parsed = new(StringComparer.Ordinal);

    /// <param name="image">PTX as text that ends with a zero.</param>
    /// <exception cref="PtxException">It cannot be read, or uses what is not allowed.</exception>
    internal static EmulatedModule Read(byte* image) =>
        new(parsed.GetOrAdd(Text(image), text => PtxParser.Parse(NameOf(text), text)));

    /// <summary>A kernel by its name, or null.</summary>
    internal PtxKernel? Find(byte* name) => Ptx.Kernels.GetValueOrDefault(Text(name));

    /// <summary>Into the buffer that the caller gave for errors, if it did.</summary>
    internal static void WriteLog(string message, ReadOnlySpan<JitOption> options, void** values)
    {
        int buffer = options.IndexOf(JitOption.ErrorLogBuffer);
        int size = options.IndexOf(JitOption.ErrorLogBufferSizeBytes);
        if (buffer < 0 || size < 0)
            return;
        byte[] log = Encoding.UTF8.GetBytes(message + "\0");
        log.AsSpan(0, Math.Min(log.Length, (int)values[size]))
            .CopyTo(new Span<byte>(values[buffer], (int)values[size]));
    }

    /// <summary>For messages: the module's first kernel.</summary>
    private static string NameOf(string text) =>
        PtxSignature.ReadAll(text).FirstOrDefault() is { } first ? $"module of {first.Name}" : "module";

    private static string Text(byte* zeroEnded) =>
        Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(zeroEnded));
}
