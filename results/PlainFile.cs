using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Results;

/// <summary>
/// Opening what may be no file at all: a pipe would be waited for until somebody writes to it. It opens without waiting
/// and looks then, so that nothing can change in between: these files are a run's own, and one process may write while
/// another reads. (Images/FileKind of the harness asks first, since a folder of images is walked by kinds anyway and
/// its errors name the kind.)
/// </summary>
public static partial class PlainFile
{
    private const int NotThere = 2;
    private const int NotAllowed = 13;
    private const int NonBlockingLinux = 0x800;
    private const int NonBlockingMac = 0x4;
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;

    /// <exception cref="IOException">It is a pipe, a device or a folder, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static FileStream OpenRead(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path} is a folder");
        if (OperatingSystem.IsWindows())
            return File.OpenRead(path);
        int descriptor = Open(
            path,
            OperatingSystem.IsMacOS() ? NonBlockingMac | CloseOnExecMac : NonBlockingLinux | CloseOnExecLinux
        );
        if (descriptor < 0)
            throw Marshal.GetLastPInvokeError() switch
            {
                NotThere => new FileNotFoundException($"{path} does not exist", path),
                NotAllowed => new UnauthorizedAccessException($"{path} must not be read by this user"),
                _ => new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}"),
            };
        var file = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read);
        if (file.CanSeek)
            return file;
        file.Dispose();
        throw new IOException($"{path} is a pipe or a device, not a file");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
