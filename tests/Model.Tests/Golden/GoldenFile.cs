using System.Text.Json;
using LutNative.Model.Checkpoints;

namespace LutNative.Model.Tests.Golden;

/// <summary>
/// A file computed with the authors' PyTorch code (tests/fixtures/golden/README.md), or one that a user adds in
/// LUT_GOLDEN_DIR.
/// </summary>
public sealed class GoldenFile
{
    private readonly Dictionary<string, SafeTensor> tensors;

    public GoldenFile(string path)
    {
        (tensors, var metadata) = Safetensors.Read(path);
        Config = JsonDocument.Parse(metadata["config"]).RootElement;
        Scalars = JsonDocument.Parse(metadata["scalars"]).RootElement;
    }

    public JsonElement Config { get; }
    public JsonElement Scalars { get; }
    public IEnumerable<string> Names => tensors.Keys;

    public bool Has(string name) => tensors.ContainsKey(name);

    public SafeTensor this[string name] => tensors[name];

    public int Int(string key) => Config.GetProperty(key).GetInt32();

    public double Number(string key) => Config.GetProperty(key).GetDouble();

    public string Text(string key) => Config.GetProperty(key).GetString()!;

    public bool Flag(string key) => Config.GetProperty(key).GetBoolean();

    /// <summary>
    /// Every golden model file of the kind, in the repository and in the folder named by LUT_GOLDEN_DIR.
    /// </summary>
    public static TheoryData<string> All(string prefix)
    {
        var data = new TheoryData<string>();
        foreach (string folder in Folders())
        foreach (string f in Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
            if (Kind(f) == prefix)
                data.Add(f);
        return data;
    }

    public static IEnumerable<string> Folders()
    {
        yield return Path.Combine(Repository.Root, "tests", "fixtures", "golden");
        if (Environment.GetEnvironmentVariable("LUT_GOLDEN_DIR") is { Length: > 0 } own && Directory.Exists(own))
            yield return own;
    }

    /// <summary>Recognised by content, so that a user may choose any file name.</summary>
    private static string Kind(string path)
    {
        var metadata = Safetensors.Read(path).Metadata;
        return !metadata.TryGetValue("config", out string? c) ? "images"
            : c.Contains("\"classes\"", StringComparison.Ordinal) ? "finetune"
            : "lut";
    }

    /// <summary>
    /// Fails unless |a - b| is within tolerance times |b|, norms over the tensor; says where the largest difference is.
    /// </summary>
    public static void Near(
        string what,
        ReadOnlySpan<float> actual,
        ReadOnlySpan<float> expected,
        double tolerance,
        Func<int, bool>? skip = null
    )
    {
        Assert.True(
            actual.Length == expected.Length,
            $"{what}: {actual.Length} elements where {expected.Length} are expected"
        );
        double diff = 0;
        double norm = 0;
        double worst = -1;
        int at = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            if (skip is not null && skip(i))
                continue;
            double d = (double)actual[i] - expected[i];
            diff += d * d;
            norm += (double)expected[i] * expected[i];
            if (!(Math.Abs(d) <= worst))
                (worst, at) = (Math.Abs(d), i);
        }
        Assert.True(
            Math.Sqrt(diff) <= tolerance * Math.Sqrt(norm) + 1e-12,
            $"{what}: |difference| = {Math.Sqrt(diff):g4} is {Math.Sqrt(diff) / Math.Sqrt(norm):g4} of the "
                + $"norm (limit {tolerance:g2}); largest at [{at}]: {actual[at]:g9} (0x{BitConverter.SingleToUInt32Bits(actual[at]):x8}), "
                + $"expected {expected[at]:g9} (0x{BitConverter.SingleToUInt32Bits(expected[at]):x8})"
        );
    }

    public static void NearScalar(string what, double actual, double expected, double tolerance = 1e-6) =>
        Assert.True(
            Math.Abs(actual - expected) <= tolerance * Math.Max(Math.Abs(expected), 1e-3),
            $"{what}: {actual:g9}, expected {expected:g9}"
        );
}
