using System.Text.Json;
using System.Text.RegularExpressions;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// Stable interfaces: every verb has --json and prints one object, errors keep their exit codes, doctor is a gate.
/// </summary>
public sealed class InterfaceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static IEnumerable<string> Verbs(params string[] of)
    {
        string help = Lut.Run([.. of, "--help"]).Out;
        int commands = help.IndexOf("Commands:", StringComparison.Ordinal);
        return commands < 0
            ? []
            : Regex.Matches(help[commands..], @"^  ([a-z-]+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value);
    }

    [Fact]
    public void EveryVerbHasJsonAndAnExample()
    {
        string[] verbs = [.. Verbs()];
        Assert.InRange(verbs.Length, 20, 40);
        foreach (string verb in verbs)
        foreach (
            string[] words in Verbs(verb) is var inner && inner.Any()
                ? inner.Select(i => new[] { verb, i }).ToArray()
                :
                [
                    [verb],
                ]
        )
        {
            string help = Lut.Run([.. words, "--help"]).Out;
            Assert.True(help.Contains("--json"), string.Join(' ', words) + " has no --json");
            Assert.True(
                (help.Contains("Example: lut") || help.Contains("Examples: lut")),
                string.Join(' ', words) + " has no example"
            );
        }
    }

    [Fact]
    public void TheDoctorIsAGate()
    {
        var r = Lut.Run("doctor", "--require", "exact", "--json");
        using (var json = JsonDocument.Parse(r.Out))
        {
            var root = json.RootElement;
            Assert.Equal((0, true), (r.Exit, root.GetProperty("exact").GetBoolean()));
            Assert.Contains(
                root.GetProperty("libraries").EnumerateArray(),
                l =>
                    l.GetProperty("path").GetString()!.Contains("coreclr")
                    && l.GetProperty("sha256").GetString()!.Length == 64
            );
            Assert.Equal(JsonValueKind.Null, root.GetProperty("probe").ValueKind);
        }
        // a probe measures; whether a machine that runs tests is fit to be timed is not for a test to say, only that
        // answer and exit code agree
        r = Lut.Run("doctor", "--require", "exact,perf", "--json");
        using (var json = JsonDocument.Parse(r.Out))
        {
            var root = json.RootElement;
            Assert.Equal(root.GetProperty("perf").GetBoolean() ? 0 : 5, r.Exit);
            Assert.Equal(r.Exit, root.GetProperty("exit").GetInt32());
            Assert.Equal(10, root.GetProperty("probe").GetProperty("fma_flops").GetArrayLength());
            Assert.All(
                root.GetProperty("probe").GetProperty("fma_flops").EnumerateArray(),
                f => Assert.True(f.GetDouble() > 1e8)
            );
            Assert.True(root.GetProperty("probe").GetProperty("memory_bytes_per_second").GetDouble() > 1e8);
        }
        var gpu = Lut.Run("doctor", "--require", "gpu");
        Assert.True(
            gpu.Exit == 0
                || (gpu.Exit == 5 && gpu.LastLine.StartsWith("UNFIT: a GPU is required", StringComparison.Ordinal)),
            gpu.Out
        );
        Assert.Equal(2, Lut.Run("doctor", "--require", "speed").Exit);
    }

    /// <summary>
    /// Killed at any moment (SIGKILL, nothing can be tidied up): every table under its final name reads whole, and the
    /// run goes on to the digests of one that was left alone.
    /// </summary>
    [Fact]
    public void AKilledWriterLeavesWholeFilesOnly()
    {
        int seen = 0;
        foreach (int files in new[] { 3, 5, 9, 20, 40, 70 })
        {
            string to = folder[FormattableString.Invariant($"kill{files}")];
            using (var p = Lut.Start([], ["run", "hello@1", "-q", "-o", to, "--checkpoint-minutes", "0"]))
            {
                while (
                    !p.HasExited
                    && (
                        !Directory.Exists(to) || Directory.GetFiles(to, "*", SearchOption.AllDirectories).Length < files
                    )
                )
                    Thread.Sleep(1);
                p.Kill();
                p.WaitForExit();
            }
            foreach (string run in Directory.Exists(to) ? Directory.GetDirectories(to) : [])
            foreach (string file in Directory.GetFiles(run, "*.parquet"))
            {
                Assert.NotEmpty(Results.TableFile.Read(file).Records);
                seen++;
            }
            if (
                !Directory.Exists(to)
                || Directory.GetDirectories(to).All(d => !File.Exists(Path.Combine(d, "config.canonical.json")))
            )
                continue;
            var r = Lut.Run("run", "hello@1", "-q", "-o", to, "--resume", "auto");
            Assert.True(r.Exit is 0 or 8 && (r.Exit == 8 || r.LastLine.Contains("IDENTICAL")), r.Out + r.Error);
        }
        Assert.True(seen > 0);
    }
}
