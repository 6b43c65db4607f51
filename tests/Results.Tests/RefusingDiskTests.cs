using System.Diagnostics;

namespace LutNative.Results.Tests;

/// <summary>
/// Disks that refuse, in a process of their own: a limit on the size of files stands for a full disk; a preloaded fsync
/// that answers EIO for one that does not store (where there is a C compiler).
/// </summary>
public sealed class RefusingDiskTests : IDisposable
{
    private const string Place = "LUT_TEST_REFUSING_DISK";
    private const string FailingFsync = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <sys/stat.h>
        #include <unistd.h>
        int fsync(int fd) {
            struct stat s;
            if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode) == FOLDERS) { errno = EIO; return -1; }
            return 0;
        }
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>
    /// What the others run in a child: a table of old rows is there, a larger one is to replace it, and a manifest is
    /// to be written.
    /// </summary>
    [Fact]
    public void Child()
    {
        string? place = Environment.GetEnvironmentVariable(Place);
        if (place is null)
            Assert.Skip("the other tests run it in a process of its own");
        File.WriteAllText(
            Path.Combine(place, "outcome"),
            Outcome(() =>
                TableFile.Write(
                    Path.Combine(place, "run", "steps-00000.parquet"),
                    Samples.Fill(Schema.Steps, 5000),
                    new Dictionary<string, string>()
                )
            )
                + "\n"
                + Outcome(() => new RunStore(Path.Combine(place, "run")).WriteManifest())
        );
    }

    private static string Outcome(Action write)
    {
        try
        {
            write();
            return "written";
        }
        catch (ResultsException e)
        {
            return $"{e.Fault}: {e.Why}";
        }
    }

    [Fact]
    public void AFullDiskInTheMiddleLeavesTheOldFileAlone()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("limits of the shell are tried on Linux");
        string[] outcome = Run("ulimit -f 64; trap '' XFSZ; ", out byte[] before); // blocks of 512 or 1024 bytes
        Assert.StartsWith("CannotWrite: ", outcome[0], StringComparison.Ordinal);
        Assert.Equal("written", outcome[1]);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(folder["run"], "steps-00000.parquet")));
        Assert.Empty(new RunStore(folder["run"]).Damage());
    }

    /// <summary>.NET's own Flush(true) does not look at the answer: 39 of 39 were lost.</summary>
    [Fact]
    public void AFileThatIsNotStoredIsAnError()
    {
        string[] outcome = Run($"export LD_PRELOAD={Preload("0")}; ", out byte[] before);
        Assert.All(outcome, o => Assert.StartsWith("CannotWrite: cannot store ", o, StringComparison.Ordinal));
        Assert.All(outcome, o => Assert.Contains("Input/output error", o, StringComparison.Ordinal));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(folder["run"], "steps-00000.parquet")));
        Assert.Equal(
            ["steps-00000.parquet"],
            Directory.GetFileSystemEntries(folder["run"]).Select(f => Path.GetFileName(f)!)
        );
    }

    [Fact]
    public void ARenameThatIsNotStoredIsAnError() =>
        Assert.All(
            Run($"export LD_PRELOAD={Preload("1")}; ", out _),
            o => Assert.StartsWith("CannotWrite: cannot store the folder ", o, StringComparison.Ordinal)
        );

    private string Preload(string folders)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("LD_PRELOAD is tried on Linux");
        File.WriteAllText(folder["fsync.c"], FailingFsync);
        try
        {
            using var compiler = Process.Start(
                new ProcessStartInfo(
                    "cc",
                    ["-shared", "-fPIC", "-DFOLDERS=" + folders, "-o", folder["fsync.so"], folder["fsync.c"]]
                )
                {
                    RedirectStandardError = true,
                }
            )!;
            compiler.WaitForExit();
            if (compiler.ExitCode == 0)
                return folder["fsync.so"];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // no compiler
        }
        Assert.Skip("there is no C compiler");
        return "";
    }

    private string[] Run(string shell, out byte[] before)
    {
        Directory.CreateDirectory(folder["run"]);
        string table = Path.Combine(folder["run"], "steps-00000.parquet");
        TableFile.Write(table, Samples.Fill(Schema.Steps, 3), new Dictionary<string, string>());
        before = File.ReadAllBytes(table);
        string tests = typeof(RefusingDiskTests).Assembly.Location;
        var start = new ProcessStartInfo(
            "sh",
            [
                "-c",
                $"{shell} exec dotnet '{tests}' --progress off --no-ansi --filter-method '*{nameof(RefusingDiskTests)}.{nameof(Child)}'",
            ]
        )
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
        };
        start.Environment[Place] = folder.Path;
        // it maps code through a file, which would be over the limit
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        using var child = Process.Start(start)!;
        string said = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(File.Exists(folder["outcome"]), said);
        return File.ReadAllLines(folder["outcome"]);
    }
}
