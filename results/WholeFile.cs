using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Results;

/// <summary>
/// A file that is on the disk whole, under its name, or not at all. It is written beside its place under a name that nobody can guess, created exclusively (no link is
/// followed), stored (the system's answer is checked: .NET's <c>Flush(true)</c> ignores it), renamed, and the rename is stored too. What a link of that name pointed to stays as it is.
/// </summary>
/// <exception cref="IOException">Any step failed; nothing stands under the file's name that was not there before.</exception>
public sealed partial class WholeFile : IDisposable
{
    private const string Suffix = ".tmp";
    private const int RandomBytes = 8;
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
        string temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{random}{Suffix}");
        return new WholeFile(full, temporary, new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite));
    }

    public static void Write(string path, Action<Stream> write)
    {
        using var file = Begin(path);
        write(file.Stream);
        file.Keep();
    }

    public static void WriteText(string path, string text) => Write(path, s => s.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Is this the temporary name of a file that a process which died was writing?</summary>
    public static bool IsTemporary(string path)
    {
        string[] parts = Path.GetFileName(path).Split('.');
        return parts.Length >= 4 && parts[0].Length == 0 && parts[^1] == Suffix[1..] && parts[^2].Length == 2 * RandomBytes && parts[^2].All(char.IsAsciiHexDigitLower);
    }

    /// <summary>Stores the bytes, still under the temporary name: what is left to <see cref="Keep"/> is a rename.</summary>
    public void Store()
    {
        Stream.Flush();
        if (OperatingSystem.IsWindows())
        {
            if (!FlushFileBuffers(Stream.SafeFileHandle)) throw Failed("cannot store", Temporary);
        }
        // macOS: fsync leaves bytes in the drive's cache; where a file system lacks F_FULLFSYNC, fsync is what there is
        else if (!(OperatingSystem.IsMacOS() && Fcntl(Stream.SafeFileHandle, FullFsync) == 0) && Fsync(Stream.SafeFileHandle) != 0)
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

    /// <summary>What was not kept is removed.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (!kept) File.Delete(Temporary);
    }

    /// <summary>Makes renames and removals inside a folder durable.</summary>
    public static void StoreFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;   // NTFS journals them
        int descriptor = Open(folder, 0);
        if (descriptor < 0) throw Failed("cannot open the folder", folder);
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        // some network file systems have no such call for folders and say so: their rename is as durable as it gets
        if (Fsync(handle) != 0 && Marshal.GetLastPInvokeError() is not (InvalidArgument or NotSupported)) throw Failed("cannot store the folder", folder);
    }

    private const int FullFsync = 51, InvalidArgument = 22, NotSupported = 95;

    private static IOException Failed(string what, string path) => new($"{what} {path}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(SafeFileHandle file, int command);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushFileBuffers(SafeFileHandle file);
}
