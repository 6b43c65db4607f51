using System.Runtime.InteropServices;
using System.Text;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// The bytes of names that are not UTF-8, on Linux (elsewhere a name is always Unicode). .NET puts U+FFFD in place of
/// such bytes, and the name that it then has opens nothing.
/// </summary>
internal static partial class RawNames
{
    private const int NameOffset = 19; // of struct dirent with 64-bit offsets, glibc and musl

    private static readonly UTF8Encoding Strict = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    /// <summary>The names in a folder that are not UTF-8, as <see cref="Shown.Bytes"/> shows them.</summary>
    internal static unsafe List<string> NotUtf8(string folder)
    {
        var found = new List<string>();
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            return found;
        nint stream = OpenFolder(folder);
        if (stream == 0)
            return found;
        try
        {
            for (nint entry; (entry = NextEntry(stream)) != 0; )
            {
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + NameOffset);
                if (!IsUtf8(name))
                    found.Add(Shown.Bytes(name));
            }
        }
        finally
        {
            _ = CloseFolder(stream);
        }
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static bool IsUtf8(ReadOnlySpan<byte> name)
    {
        try
        {
            _ = Strict.GetCharCount(name);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "opendir", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenFolder(string path);

    [LibraryImport("libc", EntryPoint = "readdir")]
    private static partial nint NextEntry(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir")]
    private static partial int CloseFolder(nint stream);
}
