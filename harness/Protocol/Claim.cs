using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Protocol;

/// <summary>
/// A published number that runs can be held against: claims/*.toml, each with its source and what is known to differ.
/// </summary>
/// <param name="Protocols">Whose runs count, without +modified.</param>
/// <param name="Reported">In percent, as printed to Precision.</param>
/// <param name="ReportedRuns">The source's own runs, where it gives them: then their mean is what is compared.</param>
/// <param name="Selection">best or last epoch, in the source.</param>
/// <param name="Margin">Percentage points within which two means count as equivalent.</param>
internal sealed record Claim(
    string Id,
    string Title,
    string Source,
    string Metric,
    string[] Protocols,
    double Reported,
    double Precision,
    double[] ReportedRuns,
    string Selection,
    double Margin,
    long Images,
    string[] Notes
)
{
    internal static IReadOnlyList<string> Known { get; } =
    [
        .. typeof(Claim)
            .Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith("claims/", StringComparison.Ordinal))
            .Select(n => n["claims/".Length..^".toml".Length])
            .Order(StringComparer.Ordinal),
    ];

    internal static Claim Load(string id)
    {
        if (!Known.Contains(id))
            throw ProtocolErrors.NoClaim(id, Known);
        using var reader = new StreamReader(typeof(Claim).Assembly.GetManifestResourceStream($"claims/{id}.toml")!);
        var problems = new List<string>();
        var v = ProtocolReader.Parse(reader.ReadToEnd(), $"claims/{id}.toml", problems);
        if (problems.Count > 0)
            throw new InvalidDataException(string.Join("; ", problems));
        string Text(string key) => (string)v[key].Value;
        T[] List<T>(string key) => [.. ((object?[])v[key].Value).Select(x => (T)x!)];
        return new Claim(
            Text("id"),
            Text("title"),
            Text("source"),
            Text("metric"),
            List<string>("protocols"),
            (double)v["reported"].Value,
            (double)v["precision"].Value,
            List<double>("reported_runs"),
            Text("selection"),
            (double)v["margin"].Value,
            (long)v["images"].Value,
            List<string>("notes")
        );
    }

    /// <summary>What the runs are compared with: the value as printed, or the mean of the source's runs.</summary>
    internal double Target => ReportedRuns.Length > 0 ? ReportedRuns.Average() : Reported;

    /// <summary>Why a finished run does not count for this claim, or null.</summary>
    internal string? Refusal(RunRow run, (long Correct, long N)? eval)
    {
        if (!Protocols.Contains(run.Protocol))
            return $"its protocol is {run.Protocol}, the claim is about {string.Join(" or ", Protocols)}";
        if (eval is null)
            return $"it has no {Metric}";
        return eval.Value.N == Images
            ? null
            : FormattableString.Invariant($"it evaluated {eval.Value.N} images, not {Images}");
    }
}
