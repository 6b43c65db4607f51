using System.Diagnostics;

namespace LutNative.Results.Tests;

/// <summary>A folder has one owner, and the operating system knows when it is gone.</summary>
public sealed class FolderLockTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void TheSecondIsToldWhoTheFirstIs()
    {
        using var first = FolderLock.Take(folder.Path);
        var e = Assert.Throws<ResultsException>(() => FolderLock.Take(folder.Path));
        Assert.Equal(StoreFault.Held, e.Fault);
        Assert.Equal(folder.Path, e.Where);
        Assert.Contains($"pid {Environment.ProcessId} on host {Environment.MachineName}, started 20", e.Why);
    }

    [Fact]
    public void ItIsFreeAgainAndTheFileStays()
    {
        FolderLock.Take(folder.Path).Dispose();
        Assert.True(File.Exists(folder["LOCK"]));
        using var again = FolderLock.Take(folder.Path);
        again.Remove();
        Assert.False(File.Exists(folder["LOCK"]));
    }

    /// <summary>
    /// flock(1) is another process: the lock is the system's, not .NET's; the text is torn, or somebody else's.
    /// </summary>
    [Theory]
    [InlineData("", "pid unknown on host unknown")]
    [InlineData("pid 12\nhost no", "pid 12 on host unknown")]
    [InlineData("pid 12\nhost \u001b[31mred\nstart now\nprogram x\ntoken y\n", "pid 12 on host ?[31mred, started now")]
    public void AnotherProcessIsRespectedUntilItIsKilled(string text, string says)
    {
        if (OperatingSystem.IsWindows() || !File.Exists("/usr/bin/flock"))
            Assert.Skip("flock(1) is not installed");
        File.WriteAllText(folder["LOCK"], text);
        using (
            var other = Process.Start(
                new ProcessStartInfo("flock", ["-F", folder["LOCK"], "sh", "-c", "echo held; exec sleep 60"])
                {
                    RedirectStandardOutput = true,
                }
            )!
        )
        {
            Assert.Equal("held", other.StandardOutput.ReadLine());
            var e = Assert.Throws<ResultsException>(() => FolderLock.Take(folder.Path));
            Assert.Equal(StoreFault.Held, e.Fault);
            Assert.Contains(says, e.Why);
            Assert.Equal(text, ReadPast(folder["LOCK"]));
            other.Kill();
            other.WaitForExit();
        }
        FolderLock.Take(folder.Path).Dispose();
    }

    [Fact]
    public void AChildDoesNotInheritIt()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("handles are not inherited on Windows");
        Process child;
        using (FolderLock.Take(folder.Path))
            child = Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        using (child)
        {
            FolderLock.Take(folder.Path).Dispose();
            child.Kill();
        }
    }

    [Fact]
    public void ALinkIsNotFollowed()
    {
        File.WriteAllText(folder["precious"], "kept");
        File.CreateSymbolicLink(folder["LOCK"], folder["precious"]);
        var e = Assert.Throws<ResultsException>(() => FolderLock.Take(folder.Path));
        Assert.Contains("it is a link", e.Why);
        Assert.Equal("kept", File.ReadAllText(folder["precious"]));
    }

    [Fact]
    public void AFolderOrAPipeInItsPlaceIsAnError()
    {
        Directory.CreateDirectory(folder["LOCK"]);
        Assert.Equal(StoreFault.CannotWrite, Assert.Throws<ResultsException>(() => FolderLock.Take(folder.Path)).Fault);
        if (OperatingSystem.IsWindows())
            return;
        Directory.Delete(folder["LOCK"]);
        Process.Start("mkfifo", folder["LOCK"])!.WaitForExit();
        Assert.Contains("a pipe", Assert.Throws<ResultsException>(() => FolderLock.Take(folder.Path)).Why);
    }

    /// <summary>.NET would want a lock of its own.</summary>
    private static string ReadPast(string path)
    {
        using var cat = Process.Start(new ProcessStartInfo("cat", [path]) { RedirectStandardOutput = true })!;
        return cat.StandardOutput.ReadToEnd();
    }

    /// <summary>Whoever opened LOCK before its owner removed it holds a lock on nothing, and must notice.</summary>
    [Fact]
    public async Task ManyTakeItOneAfterTheOtherAndNeverTogether()
    {
        int inside = 0;
        int most = 0;
        int taken = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(t =>
                    Task.Run(() =>
                    {
                        for (int done = 0; done < 50; )
                        {
                            try
                            {
                                using var mine = FolderLock.Take(folder.Path);
                                int now = Interlocked.Increment(ref inside);
                                if (now > most)
                                    most = now;
                                Interlocked.Decrement(ref inside);
                                Interlocked.Increment(ref taken);
                                if ((done + t) % 2 == 0)
                                    mine.Remove();
                                done++;
                            }
                            catch (ResultsException e) when (e.Fault == StoreFault.Held)
                            {
                                Thread.Yield();
                            }
                        }
                    })
                )
        );
        Assert.Equal(1, most);
        Assert.Equal(400, taken);
    }
}
