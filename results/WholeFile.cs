using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Results;

/// <summary>
/// A file that is on the disk whole, under its name, or not at all. It is written beside its place under a name that
/// nobody can guess, created exclusively (no link is followed), stored (the system's answer is checked: .NET's
/// <c>Flush(true)</c> ignores it), renamed, and the rename is stored too. What a link of that name pointed to stays as
/// it is.
/// </summary>
/// <exception cref="IOException">
/// A step failed. Before the rename nothing stands under the file's name that was not there before; a rename that could
/// not be stored is an error as well.
/// </exception>
public sealed partial class WholeFile : IDisposable
{
    private const string Suffix = ".tmp";
    private const int RandomBytes = 8;

    /// <summary>
    /// Characters of the file's name that its temporary name repeats: file systems take 255 bytes, and a character may
    /// take four.
    /// </summary>
    private const int MostOfName = 50;
    private readonly string path;
    private bool kept;

    private WholeFile(string path, string temporary, FileStream stream)
    {
        this.path = path;
        Temporary = temporary;
        Stream = stream;
    }

    /// <summary>Where the bytes go until <see cref="Keep"/>; readable too.</summary>
    public FileStream Stream { get; }

    /// <summary>The file's name until <see cref="Keep"/>.</summary>
    public string Temporary { get; }

    public static WholeFile Begin(string path)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new IOException($"{path} is not the name of a file");
        string random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes));
        string name = Path.GetFileName(full);
        if (name.Length > MostOfName)
            name = name[..(char.IsHighSurrogate(name[MostOfName - 1]) ? MostOfName - 1 : MostOfName)];
        string temporary = Path.Combine(folder, $".{name}.{random}{Suffix}");
        var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite);
        if (stream.CanSeek)
            return new WholeFile(full, temporary, stream);
        stream.Dispose();
        File.Delete(temporary);
        throw new IOException($"{path} is no place for a file: the system cannot tell positions in it");
    }

    public static void Write(string path, Action<Stream> write)
    {
        using var file = Begin(path);
        try
        {
            write(file.Stream);
        }
        catch (ArgumentOutOfRangeException e) when (IsTooLarge(e))
        {
            throw TooLarge(path, e);
        }
        file.Keep();
    }

    public static void WriteText(string path, string text) => Write(path, s => s.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Is this the temporary name of a file that a process which died was writing?</summary>
    public static bool IsTemporary(string path)
    {
        string[] parts = Path.GetFileName(path).Split('.');
        return parts.Length >= 4
            && parts[0].Length == 0
            && parts[^1] == Suffix[1..]
            && parts[^2].Length == 2 * RandomBytes
            && parts[^2].All(char.IsAsciiHexDigitLower);
    }

    /// <summary>
    /// Stores the bytes, still under the temporary name: what is left to <see cref="Keep"/> is a rename.
    /// </summary>
    public void Store()
    {
        try
        {
            Stream.Flush();
        }
        catch (ArgumentOutOfRangeException e) when (IsTooLarge(e))
        {
            throw TooLarge(path, e);
        }
        if (OperatingSystem.IsWindows())
        {
            if (!FlushFileBuffers(Stream.SafeFileHandle))
                throw Failed("cannot store", Temporary);
        }
        // macOS: fsync leaves bytes in the drive's cache; where a file system lacks F_FULLFSYNC, fsync is what there is
        else if (
            !(OperatingSystem.IsMacOS() && Fcntl(Stream.SafeFileHandle, FullFsync) == 0)
            && !Synced(Stream.SafeFileHandle)
        )
            throw Failed("cannot store", Temporary);
    }

    /// <summary>Stores the bytes and gives the file its name, in place of what had it.</summary>
    public void Keep()
    {
        Store();
        Stream.Dispose();
        File.Move(Temporary, path, overwrite: true);
        kept = true;
        StoreFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// What was not kept is removed. A full disk fails here a second time: the caller has the first failure already.
    /// </summary>
    public void Dispose()
    {
        if (kept)
            return;
        try
        {
            Stream.Dispose();
        }
        catch (Exception e) when (e is IOException || IsTooLarge(e))
        {
            // the bytes that did not fit are given up with the file
        }
        try
        {
            File.Delete(Temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it keeps a name that readers know as temporary
        }
    }

    /// <summary>.NET's odd word for a file that reached the limit of its file system or of this user.</summary>
    internal static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException { ParamName: "value" };

    private static IOException TooLarge(string path, Exception e) =>
        new($"{path} is too large for its file system, or for the limit of this user", e);

    /// <summary>Makes renames and removals inside a folder durable.</summary>
    public static void StoreFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return; // NTFS journals them
        int descriptor = Open(folder, OperatingSystem.IsMacOS() ? CloseOnExecMac : CloseOnExecLinux);
        if (descriptor < 0)
            throw Failed("cannot open the folder", folder);
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        // some network file systems have no such call for folders and say so: their rename is as durable as it gets
        if (!Synced(handle) && Marshal.GetLastPInvokeError() is not (InvalidArgument or NotSupported))
            throw Failed("cannot store the folder", folder);
    }

    private const int FullFsync = 51;
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;
    private const int NotSupported = 95;
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;

    /// <summary>
    /// The fsync that this process sees first, so that a preloaded one (a test's, a cluster's) counts: an import from
    /// libc by name would pass it by. A signal may end the wait for a network file system: that says nothing about the
    /// bytes.
    /// </summary>
    private static unsafe bool Synced(SafeFileHandle file)
    {
        var fsync = (delegate* unmanaged<int, int>)
            NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "fsync");
        bool held = false;
        file.DangerousAddRef(ref held);
        try
        {
            while (true)
            {
                int result = fsync((int)file.DangerousGetHandle());
                int error = Marshal.GetLastSystemError();
                Marshal.SetLastPInvokeError(error);
                if (result == 0 || error != Interrupted)
                    return result == 0;
            }
        }
        finally
        {
            file.DangerousRelease();
        }
    }

    private static IOException Failed(string what, string path) =>
        new($"{what} {path}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(SafeFileHandle file, int command);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushFileBuffers(SafeFileHandle file);
}
