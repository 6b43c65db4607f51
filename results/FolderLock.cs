using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Results;

/// <summary>
/// A folder has one owner: an exclusive lock on its file LOCK, which the operating system frees when the owner dies,
/// however it dies. The file stays behind, and says who owned the folder last; only the lock counts. Readers need no
/// lock. On NFS Linux turns it into a lock of the server, so it holds between machines; a file system that cannot lock
/// is refused (.NET's FileShare.None would go on as if it had locked).
/// </summary>
public sealed partial class FolderLock : IDisposable
{
    /// <summary>The file's name; no part of a run.</summary>
    public const string Name = "LOCK";

    private const int LongestText = 4096;
    private const int MostAttempts = 100;
    private static readonly TimeSpan HolderWrites = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private readonly SafeFileHandle handle;
    private readonly string path;

    private readonly LockHolder me;

    private FolderLock(SafeFileHandle handle, string path, LockHolder me)
    {
        this.handle = handle;
        this.path = path;
        this.me = me;
    }

    /// <summary>Takes the lock of a folder that exists.</summary>
    /// <exception cref="ResultsException">Held by another process (the message names it), the file system cannot lock,
    /// or LOCK cannot be written.</exception>
    public static FolderLock Take(string folder)
    {
        string path = Path.Combine(Path.GetFullPath(folder), Name);
        var me = LockHolder.Me();
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            var handle = OpenLocked(path);
            try
            {
                Write(handle, path, me);
                // a run that ended removed the file that was opened here: the lock must be on the one that others will
                // find
                if (IsAt(path, me))
                    return new FolderLock(handle, path, me);
            }
            catch
            {
                handle.Dispose();
                throw;
            }
            handle.Dispose();
        }
        throw CannotWrite(path, "what is written there cannot be read back");
    }

    /// <summary>
    /// A lock can be lost while its owner lives: the server of a network file system frees it when it has not heard of
    /// the machine for long. Before something is written that counts, its owner looks whether somebody else has come.
    /// </summary>
    /// <exception cref="ResultsException">Another process owns the folder by now.</exception>
    public void Check()
    {
        if (OperatingSystem.IsWindows())
            return; // nobody else can have written
        using var there = Open(path, create: false);
        if (there is not null && Read(there) is { IsWhole: true } holder && holder.Token != me.Token)
            throw Held(path, holder);
    }

    /// <summary>Removes LOCK while it is still held: the folder is finished, nobody needs to own it.</summary>
    public void Remove()
    {
        if (OperatingSystem.IsWindows())
            handle.Dispose(); // Windows removes no open file
        File.Delete(path);
    }

    public void Dispose() => handle.Dispose();

    private static SafeFileHandle OpenLocked(string path)
    {
        if (OperatingSystem.IsWindows())
            return OpenWindows(path);
        var handle = Open(path, create: true)!;
        long began = Environment.TickCount64;
        while (Flock(handle, LockExclusive | LockNonBlocking) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            string message = Marshal.GetLastPInvokeErrorMessage();
            if (error == Interrupted)
                continue;
            if (error != WouldBlock)
            {
                handle.Dispose();
                throw IsUnsupported(error) ? Unsupported(path, message) : CannotWrite(path, message);
            }
            var holder = Read(handle);
            // the other one may be about to write its name
            if (holder.IsWhole || Environment.TickCount64 - began > HolderWrites.TotalMilliseconds)
            {
                handle.Dispose();
                throw Held(path, holder);
            }
            Thread.Sleep(Pause);
        }
        return handle;
    }

    private static SafeFileHandle OpenWindows(string path)
    {
        if (new FileInfo(path) is { Exists: true, LinkTarget: not null })
            throw CannotWrite(path, "it is a link");
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (IOException e) when ((e.HResult & 0xffff) == SharingViolation)
        {
            using var other = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            throw Held(path, Read(other));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e.Message);
        }
    }

    /// <summary>
    /// The descriptor is our own: .NET's ways to open take a lock of their own, which fails while another process holds
    /// this one. Null when there is no file and none is made.
    /// </summary>
    private static SafeFileHandle? Open(string path, bool create)
    {
        while (true)
        {
            int descriptor = OpenFile(path, ReadWrite | CloseOnExec | NoFollow | NonBlocking);
            if (descriptor >= 0)
            {
                var handle = new SafeFileHandle(descriptor, ownsHandle: true);
                using var probe = new FileStream(
                    new SafeFileHandle(descriptor, ownsHandle: false),
                    FileAccess.ReadWrite,
                    bufferSize: 0
                );
                if (probe.CanSeek)
                    return handle;
                handle.Dispose();
                throw CannotWrite(path, "it is a pipe or a device");
            }
            int error = Marshal.GetLastPInvokeError();
            if (error == Interrupted)
                continue;
            if (error != NoEntry)
                throw CannotWrite(path, error == Loop ? "it is a link" : Marshal.GetLastPInvokeErrorMessage());
            if (!create)
                return null;
            Create(path);
        }
    }

    private static void Create(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite).Dispose();
        }
        catch (IOException e) when (e.HResult == Exists || e.HResult == WouldBlock)
        {
            // another process made it a moment ago, or has locked it already
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e.Message);
        }
    }

    private static void Write(SafeFileHandle handle, string path, LockHolder me)
    {
        try
        {
            byte[] text = me.ToBytes();
            // behind the new text nothing of an older one may be left
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, text, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw CannotWrite(path, e.Message);
        }
    }

    private static bool IsAt(string path, LockHolder me)
    {
        if (OperatingSystem.IsWindows())
            return true;
        using var there = Open(path, create: false);
        return there is not null && Read(there).Token == me.Token;
    }

    private static LockHolder Read(SafeFileHandle handle)
    {
        byte[] text = new byte[LongestText];
        try
        {
            return LockHolder.Parse(text.AsSpan(0, RandomAccess.Read(handle, text, 0)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return LockHolder.Parse([]);
        }
    }

    private static ResultsException Held(string path, LockHolder holder) =>
        new(
            StoreFault.Held,
            "another process is working in this folder",
            Path.GetDirectoryName(path)!,
            $"{Name} is held by {holder}",
            "wait until it ends, or stop it; nothing was touched. A process that has died holds no lock"
        );

    private static ResultsException Unsupported(string path, string message) =>
        new(
            StoreFault.CannotLock,
            "this file system cannot lock",
            path,
            message,
            "choose another --output, on a file system with locks (a local disk, NFS with its lock "
                + "service); without a lock two processes could ruin one folder"
        );

    private static ResultsException CannotWrite(string path, string why) =>
        new(
            StoreFault.CannotWrite,
            $"cannot take the folder's {Name}",
            path,
            why,
            "remove what is in its place, free some space, or choose another --output"
        );

    private const int SharingViolation = 32;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int ReadWrite = 2;
    private const int Interrupted = 4;
    private const int NoEntry = 2;
    private const int Exists = 17;
    private const int InvalidArgument = 22;
    private static readonly bool Mac = OperatingSystem.IsMacOS();
    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
    private static readonly int CloseOnExec = Mac ? 0x1000000 : 0x80000;
    private static readonly int NoFollow =
        Mac ? 0x100
        : Arm ? 0x8000
        : 0x20000;
    private static readonly int NonBlocking = Mac ? 4 : 0x800;
    private static readonly int WouldBlock = Mac ? 35 : 11;
    private static readonly int Loop = Mac ? 62 : 40;

    /// <summary>ENOLCK, ENOTSUP, EOPNOTSUPP, ENOSYS, EINVAL.</summary>
    private static bool IsUnsupported(int error) =>
        error == InvalidArgument || (Mac ? error is 77 or 45 or 102 or 78 : error is 37 or 95 or 38);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);
}
