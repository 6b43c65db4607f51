using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// The file descriptors that this process was given. .NET keeps two for every library it has loaded, so that a low
/// limit breaks it in any line of the program; and where standard error was closed, the runtime's own files take its
/// number, so that a message would be written into one of them. Both are looked at before anything else, with nothing
/// but the system's calls.
/// </summary>
internal static partial class Descriptors
{
    /// <summary>Some 80 are open in a small run; a run's own files need few more.</summary>
    internal const int Least = 128;

    private const int GetFlags = 1;
    private const int CloseOnExec = 1;
    private const int ReadWrite = 2;

    /// <summary>Is this standard stream really ours? False where it was closed when the program was started.</summary>
    internal static bool WasOpen(int descriptor) => OperatingSystem.IsWindows() || wasOpen[descriptor];

    private static readonly bool[] wasOpen = [true, true, true];

    /// <summary>
    /// Gives closed standard streams a place where nothing is heard, and says what is wrong with the limit, or null.
    /// </summary>
    internal static string? Prepare()
    {
        if (OperatingSystem.IsWindows())
            return null;
        for (int d = 0; d < 3; d++)
        {
            int flags = Control(d, GetFlags);
            // whatever the runtime itself has opened is closed in children; what was inherited is not
            wasOpen[d] = flags >= 0 && (flags & CloseOnExec) == 0;
            if (flags < 0 && Open("/dev/null", ReadWrite) is > 2 and var other)
                _ = Close(other);
        }
        int limit = TableSize();
        return limit is >= 0 and < Least
            ? FormattableString.Invariant($"it is {limit}, and .NET with this program's libraries alone needs about 80")
            : null;
    }

    /// <summary>Writes where nothing of .NET's console may be loaded any more.</summary>
    internal static unsafe void Say(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* first = bytes)
            _ = Write(2, first, (nuint)bytes.Length);
    }

    // variadic in C; with this command there is no third argument
    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "getdtablesize")]
    private static partial int TableSize();

    [LibraryImport("libc", EntryPoint = "write")]
    private static unsafe partial nint Write(int descriptor, byte* bytes, nuint count);
}
