using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Recording;

/// <summary>
/// What a run is, whoever computes it: two runs with the same identity have the same bits, and one folder holds one
/// identity.
/// </summary>
/// <param name="Protocol">With its overrides and its level of math.</param>
/// <param name="DataHash">SHA-256 of images and labels of both splits.</param>
/// <param name="WeightsSha256">Of the weights from outside that it begins with; null for none.</param>
public sealed record RunIdentity(ResolvedProtocol Protocol, string DataHash, string? WeightsSha256)
{
    // keys of metadata, in tables and checkpoints
    public const string RunIdKey = "lut.run_id";
    public const string ProtocolKey = "lut.protocol";
    public const string MathKey = "lut.math_hash";
    public const string DataKey = "lut.data_hash";
    public const string WriterKey = "lut.writer";
    public const string WeightsKey = "lut.weights_sha256";

    /// <summary>The event that names the weights from outside: their hash and their file.</summary>
    public const string WeightsEvent = "weights_sha256";

    public static string HashOf(ImageSource train, ImageSource test) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{train.Sha256} {train.Count} {test.Sha256} {test.Count}"))
        );

    /// <summary>What every table of the run says of itself.</summary>
    public Dictionary<string, string> Metadata(string runId)
    {
        var metadata = new Dictionary<string, string>
        {
            [RunIdKey] = runId,
            [ProtocolKey] = Protocol.Name,
            [MathKey] = Protocol.MathHash,
            [DataKey] = DataHash,
            [WriterKey] = LutVersion.Writer,
        };
        if (WeightsSha256 is not null)
            metadata[WeightsKey] = WeightsSha256;
        return metadata;
    }

    /// <summary>
    /// What a table or a checkpoint says that this run is not; null when nothing. What an older lut did not record
    /// cannot differ.
    /// </summary>
    /// <param name="what">For people: which file.</param>
    public string? Difference(IReadOnlyDictionary<string, string> recorded, string what)
    {
        foreach (var (key, value) in new[] { (MathKey, Protocol.MathHash), (DataKey, DataHash) })
            if (recorded.TryGetValue(key, out string? other) && other != value)
                return $"{key[4..]} of {what} is {other}, this run's is {value}";
        bool told = recorded.ContainsKey(WeightsKey) || recorded.ContainsKey(WriterKey) && !IsOlder(recorded);
        string? weights = recorded.GetValueOrDefault(WeightsKey);
        if (told && weights != WeightsSha256)
            return $"weights_sha256 of {what} is {weights ?? "none (it began with no weights from outside)"}, this "
                + $"run's is {WeightsSha256 ?? "none (no --checkpoint)"}";
        // a planted fault is no part of math_hash, but a run with one is another run
        if (recorded.TryGetValue(ProtocolKey, out string? name) && IsInjected(name) != IsInjected(Protocol.Name))
            return $"protocol of {what} is {name}, this run's is {Protocol.Name}: one of them has a planted fault";
        return null;
    }

    /// <summary>Tables of schema 1.2 and older do not say which weights were loaded.</summary>
    private static bool IsOlder(IReadOnlyDictionary<string, string> recorded) =>
        System.Version.TryParse(recorded.GetValueOrDefault("lut.schema_version"), out var v)
        && v < new System.Version(1, Results.Schema.Checkpoints.Since);

    private static bool IsInjected(string name) => name.Contains("+injected", StringComparison.Ordinal);
}
