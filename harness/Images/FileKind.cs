using System.Runtime.InteropServices;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>What stands under a name, links followed.</summary>
public enum FileType
{
    Missing,
    File,
    Folder,
    Pipe,
    Socket,
    Device,
}

/// <summary>
/// What a name is before anything is opened: opening a pipe waits for its other end. .NET does not tell a pipe from a
/// file, so the system is asked itself; where that call is not known (neither Linux nor macOS) there are no such things
/// among files.
/// </summary>
/// <param name="Id">The same for two names of one file or folder; default where the system has no such number.</param>
public readonly partial record struct FileKind(FileType Type, long Length, FileKind.Identity Id)
{
    /// <summary>A file's own number on its volume.</summary>
    public readonly record struct Identity(ulong Volume, ulong Number);

    /// <summary>Asks once; a link is followed to its end.</summary>
    /// <exception cref="UnauthorizedAccessException">A folder above it may not be searched.</exception>
    /// <exception cref="IOException">The system cannot say, for example since links go in circles.</exception>
    public static unsafe FileKind Of(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            Statx s;
            if (CallStatx(CurrentFolder, path, 0, BasicStats, &s) != 0)
                return Failed(path);
            return new FileKind(
                TypeOf(s.Mode),
                (long)s.Size,
                new Identity((ulong)s.DeviceMajor << 32 | s.DeviceMinor, s.Inode)
            );
        }
        if (OperatingSystem.IsMacOS())
        {
            byte* s = stackalloc byte[MacStatBytes];
            if (
                (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? MacStat(path, s) : MacStat64(path, s))
                != 0
            )
                return Failed(path);
            return new FileKind(TypeOf(*(ushort*)(s + 4)), *(long*)(s + 96), new Identity(*(uint*)s, *(ulong*)(s + 8)));
        }
        if (Directory.Exists(path))
            return new FileKind(FileType.Folder, 0, default);
        var file = new FileInfo(path);
        return file.Exists
            ? new FileKind(FileType.File, file.Length, default)
            : new FileKind(FileType.Missing, 0, default);
    }

    /// <summary>
    /// Opens a file for reading, and nothing else than a file: asked before, by the kind that the walk of a folder knows
    /// names by. A run's own files go through results/PlainFile, which opens first.
    /// </summary>
    /// <exception cref="IOException">Missing, a folder, a pipe, a socket or a device; or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">No permission.</exception>
    public static FileStream Open(string path)
    {
        var type = Of(path).Type;
        return type == FileType.File
            ? File.OpenRead(path)
            : throw new IOException($"{Shown.Name(path)} is {Word(type)}, not a file");
    }

    /// <summary>"a pipe", "a folder".</summary>
    public static string Word(FileType type) =>
        type switch
        {
            FileType.Missing => "nothing (or a link to nothing)",
            FileType.File => "a file",
            FileType.Folder => "a folder",
            FileType.Pipe => "a pipe",
            FileType.Socket => "a socket",
            _ => "a device",
        };

    private const int CurrentFolder = -100;
    private const int NoSuchEntry = 2;
    private const int NoPermission = 13;
    private const int NotAFolder = 20;
    private const int MacStatBytes = 256;
    private const uint BasicStats = 0x7ff;

    private static FileType TypeOf(uint mode) =>
        (mode & 0xf000) switch
        {
            0x8000 => FileType.File,
            0x4000 => FileType.Folder,
            0x1000 => FileType.Pipe,
            0xc000 => FileType.Socket,
            _ => FileType.Device,
        };

    private static FileKind Failed(string path) =>
        Marshal.GetLastPInvokeError() switch
        {
            NoSuchEntry or NotAFolder => new FileKind(FileType.Missing, 0, default),
            NoPermission => throw new UnauthorizedAccessException(
                $"{Shown.Name(path)}: {Marshal.GetLastPInvokeErrorMessage()}"
            ),
            _ => throw new IOException($"{Shown.Name(path)}: {Marshal.GetLastPInvokeErrorMessage()}"),
        };

    // struct statx of <linux/stat.h>: the same on every architecture
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int CallStatx(int folder, string path, int flags, uint mask, Statx* into);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int MacStat(string path, byte* into);

    [LibraryImport(
        "libc",
        EntryPoint = "stat$INODE64",
        SetLastError = true,
        StringMarshalling = StringMarshalling.Utf8
    )]
    private static unsafe partial int MacStat64(string path, byte* into);
}
