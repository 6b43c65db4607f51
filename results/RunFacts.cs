namespace LutNative.Results;

/// <summary>
/// What decides whether two runs are one experiment: of a run that ended from its run table, else from what its first
/// part says of itself.
/// </summary>
public sealed class RunFacts
{
    /// <summary>
    /// Weights from outside that the run began with. None is no obstacle: the run made its own, or an older lut did not
    /// say.
    /// </summary>
    public const string Weights = "weights_sha256";

    private static readonly string[] Deciding = ["contract", "math_hash", "data_hash"];
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    private RunFacts(string name) => Name = name;

    /// <summary>Protocol and seed, for people.</summary>
    internal string Name { get; }

    /// <summary>Null when it was not recorded.</summary>
    public string? this[string key] => values.GetValueOrDefault(key);

    public static RunFacts Of(RunStore run)
    {
        var row = run.Read(Schema.Run).First;
        if (row is null)
            return OfPart(run.PartFiles() is [var first, ..] ? first : null);
        var facts = new RunFacts(FormattableString.Invariant($"{row.Protocol} seed {row.Seed}"));
        facts.values["contract"] = row.Contract;
        facts.values["math_hash"] = row.MathHash;
        facts.values["data_hash"] = row.DataHash;
        if (row.WeightsSha256 is { } weights)
            facts.values[Weights] = weights;
        return facts;
    }

    /// <summary>The deciding facts that both recorded, and that differ.</summary>
    internal static IEnumerable<string> Different(RunFacts x, RunFacts y) =>
        Deciding.Where(k => x[k] is { } p && y[k] is { } q && p != q);

    private static RunFacts OfPart(string? part)
    {
        if (part is null)
            return new RunFacts("a run without tables");
        var metadata = TableFile.ReadWithMetadata(part).Metadata;
        var facts = new RunFacts(metadata.GetValueOrDefault("lut.protocol", "a run") + ", not ended");
        foreach (string key in Deciding.Append(Weights))
            if (metadata.TryGetValue("lut." + key, out string? value) && value.Length > 0)
                facts.values[key] = value;
        return facts;
    }
}
