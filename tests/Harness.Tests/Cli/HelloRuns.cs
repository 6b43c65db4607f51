using System.Collections.Concurrent;
using LutNative.Harness.Tests.Cli;

[assembly: AssemblyFixture(typeof(HelloRuns))]

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// Runs of hello@1, each made once for all tests that need one like it. A test that changes what is in a run's folder
/// takes a copy.
/// </summary>
public sealed class HelloRuns : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ConcurrentDictionary<string, Lazy<string>> made = new(StringComparer.Ordinal);

    public void Dispose() => folder.Dispose();

    /// <summary>The folder of a run by a verb with these options, to be read only.</summary>
    internal string Of(string verb, params string[] options) =>
        made.GetOrAdd(string.Join(' ', [verb, .. options]), words => new Lazy<string>(() => Make(verb, options))).Value;

    /// <summary>The folder of the same run inside another folder, to do with as one likes.</summary>
    internal string CopyTo(string parent, string verb, params string[] options)
    {
        string run = Of(verb, options);
        string copy = Path.Combine(parent, Path.GetFileName(run));
        Directory.CreateDirectory(copy);
        foreach (string inner in Directory.GetDirectories(run, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(copy, Path.GetRelativePath(run, inner)));
        foreach (string file in Directory.GetFiles(run, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(copy, Path.GetRelativePath(run, file)));
        return copy;
    }

    private string Make(string verb, string[] options)
    {
        string to = folder[Guid.NewGuid().ToString("n")];
        var r = Lut.Run([verb, "hello@1", "-q", "-o", to, .. options]);
        Assert.True(r.Exit == (options.Contains("--stop-after") ? 75 : 0), r.Out + r.Error);
        return Directory.GetDirectories(to).Single();
    }
}
