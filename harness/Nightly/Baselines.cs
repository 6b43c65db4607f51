using System.Globalization;
using System.Text;
using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Nightly;

/// <summary>What a benchmark is held against on one kind of hardware.</summary>
/// <param name="Pinned">Medians of the accepted launches, images/s: slow creep shows against them.</param>
/// <param name="Rolling">Medians of the last clean nights, at most twenty: a step shows against them.</param>
/// <param name="Band">Ratio that counts as noise.</param>
/// <param name="Digest">Of the student after three steps: the work that the numbers stand for.</param>
internal sealed record Baseline(
    string Name,
    IReadOnlyList<double> Pinned,
    IReadOnlyList<double> Rolling,
    double Band,
    string Digest,
    string Accepted,
    string By,
    string Commit,
    string Reason
)
{
    internal const int Nights = 20;
    internal const int NightsForBand = 5;

    /// <summary>With a clean night more; its noise band follows the nights once there are some.</summary>
    internal Baseline After(double images) => this with { Rolling = [.. Rolling.Append(images).TakeLast(Nights)] };

    /// <summary>Robust standard deviations that count as noise.</summary>
    private const double Deviations = 3;

    /// <summary>
    /// A normal distribution's standard deviation beside its median absolute deviation: 1 / Phi^-1(3/4).
    /// </summary>
    private const double DeviationPerMad = 1.4826;

    /// <summary>
    /// The accepted band, or three robust standard deviations of the nights where those are further apart.
    /// </summary>
    internal double BandNow
    {
        get
        {
            if (Rolling.Count < NightsForBand)
                return Band;
            double middle = Performance.Median([.. Rolling]);
            double mad = Performance.Median([.. Rolling.Select(r => Math.Abs(HostMath.Log(r / middle)))]);
            return Math.Max(Band, Deviations * DeviationPerMad * mad);
        }
    }
}

/// <summary>
/// Baselines of one kind of hardware: a TOML file in git, baselines/HARDWARE.toml, that a reviewer reads in a diff.
/// Nothing in it is executed.
/// </summary>
internal sealed class Baselines
{
    private readonly SortedDictionary<string, Baseline> rows = new(StringComparer.Ordinal);

    private Baselines(string path, string text)
    {
        Path = path;
        Text = text;
    }

    internal string Path { get; }

    /// <summary>The file as it was read; "" when there was none.</summary>
    private string Text { get; set; }
    internal IReadOnlyDictionary<string, Baseline> Rows => rows;

    internal static Baselines Load(string folder, string hardware)
    {
        string path = System.IO.Path.Combine(folder, FileName.Of(hardware) + ".toml");
        var all = new Baselines(path, Read(path));
        var problems = new List<string>();
        var values = ProtocolReader.Parse(all.Text, path, problems);
        foreach (var group in values.GroupBy(v => v.Key.Split('.') is ["perf", var name, _] ? name : ""))
        {
            if (group.Key.Length == 0)
            {
                problems.AddRange(group.Select(g => $"{g.Value.Where}: {g.Key} is not in a section [perf.NAME]"));
                continue;
            }
            if (!Suite.IsName(group.Key))
                problems.Add($"{all.Path}: {Plain.OneLine(group.Key)} cannot be a row's name: {Suite.NameRule}");
            var keys = group.ToDictionary(g => g.Key.Split('.')[2], g => g.Value.Value);
            double[] Numbers(string key) =>
                keys.GetValueOrDefault(key) is object?[] list ? [.. list.Select(Number)] : [double.NaN];
            string Text(string key) => keys.GetValueOrDefault(key) as string ?? "";
            double band = Number(keys.GetValueOrDefault("band"));
            var row = new Baseline(
                group.Key,
                Numbers("pinned"),
                Numbers("rolling"),
                band,
                Text("digest"),
                Text("accepted"),
                Text("by"),
                Text("commit"),
                Text("reason")
            );
            if (row.Pinned.Count == 0 || row.Pinned.Concat(row.Rolling).Any(v => !(v > 0)) || !(band > 0))
                problems.Add(
                    $"{all.Path}: [perf.{group.Key}] needs pinned and rolling as arrays of positive numbers, "
                        + "and a positive band"
                );
            all.rows[group.Key] = row;
        }
        if (problems.Count > 0)
            throw NightlyErrors.BaselineProblems(problems);
        return all;
    }

    private static double Number(object? value) =>
        value switch
        {
            double d => d,
            long l => l,
            _ => double.NaN,
        };

    internal void Set(Baseline row) => rows[row.Name] = row;

    internal bool Remove(string name) => rows.Remove(name);

    internal void Write()
    {
        var text = new StringBuilder(
            "# What nights are held against on this hardware. Made by "
                + "`lut baseline accept NIGHT --reason WHY`; nightly adds clean nights to rolling. Review changes as "
                + "you review code.\n"
        );
        string List(IEnumerable<double> v) => "[" + string.Join(", ", v.Select(x => x.Text("0.0###"))) + "]";
        foreach (var r in rows.Values)
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n[perf.{r.Name}]\npinned = {List(r.Pinned)}\nrolling = {List(r.Rolling)}\nband = "
                    + $"{r.Band.Text("0.0###")}\ndigest = {Quote(r.Digest)}\naccepted = {Quote(r.Accepted)}\nby = "
                    + $"{Quote(r.By)}\ncommit = {Quote(r.Commit)}\nreason = {Quote(r.Reason)}\n"
            );
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
            if (Read(Path) != Text)
                throw StoreErrors.BaselinesChanged(Path);
            WholeFile.WriteText(Path, text.ToString());
            Text = text.ToString();
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWriteBaselines(Path, e.Message);
        }
    }

    /// <summary>Nobody else may write the folder's baselines until this is disposed.</summary>
    internal static FolderLock Take(string folder)
    {
        RunStore.Create(folder);
        return FolderLock.Take(folder);
    }

    private static string Read(string path) =>
        File.Exists(path) ? Files.ReadText(path, "the baselines", Exit.Store) : "";

    /// <summary>A basic string of TOML: no character of the text ends it or begins a line.</summary>
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (c == '\n')
                quoted.Append(' ');
            else if (char.IsControl(c) || char.IsSurrogate(c))
                quoted.Append(
                    char.IsSurrogate(c) ? "?" : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")
                );
            else
                quoted.Append(c);
        return quoted.Append('"').ToString();
    }
}
