using System.Globalization;

namespace LutNative.Results;

/// <summary>
/// The golden digests of a protocol, as text that a reviewer can read in a diff: the state's digest at every recorded step, every tensor's at a stage's
/// last step, and every evaluation. Independent of hardware, because the contract is.
/// </summary>
public static class Reference
{
    private const string Head = "# lut reference 1: digests that an unmodified run must give, on any machine";

    /// <summary>The committed reference of a protocol, or null when there is none.</summary>
    public static string[]? Find(string protocol)
    {
        using var stream = typeof(Reference).Assembly.GetManifestResourceStream($"reference/{protocol}.digests");
        if (stream is null) return null;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The reference lines of a finished run.</summary>
    public static string[] Of(RunStore run)
    {
        Table row = run.Read(Schema.Run), steps = run.Read(Schema.Steps), digests = run.Read(Schema.Digests), evals = run.Read(Schema.Evals);
        var lines = new List<string> { Head };
        foreach (string k in new[] { "protocol", "contract", "math_hash", "data_hash" }) lines.Add($"{k} {row.Get<string>(0, k)}");
        lines.Add($"seed {row.Get<long>(0, "seed").ToString(CultureInfo.InvariantCulture)}");
        var last = new Dictionary<string, long>();
        for (int i = 0; i < steps.Rows.Count; i++)
        {
            if (steps.Rows[i][Schema.Steps.IndexOf("state_digest")] is not byte[] state) continue;
            string stage = steps.Get<string>(i, "stage");
            last[stage] = steps.Get<long>(i, "step");
            lines.Add(FormattableString.Invariant($"step {stage} {last[stage]} loss {steps.Get<uint>(i, "loss_bits"):x8} state {Convert.ToHexStringLower(state)}"));
        }
        for (int i = 0; i < digests.Rows.Count; i++)
            if (last.TryGetValue(digests.Get<string>(i, "stage"), out long step) && step == digests.Get<long>(i, "step"))
                lines.Add(FormattableString.Invariant($"tensor {digests.Get<string>(i, "stage")} {step} {digests.Get<string>(i, "tensor")} {Convert.ToHexStringLower(digests.Get<byte[]>(i, "digest"))}"));
        for (int i = 0; i < evals.Rows.Count; i++)
            lines.Add(FormattableString.Invariant($"eval {evals.Get<string>(i, "metric")} {evals.Get<long>(i, "correct")}/{evals.Get<long>(i, "n")} predictions {Convert.ToHexStringLower(evals.Get<byte[]>(i, "predictions_digest"))}"));
        return [.. lines];
    }

    /// <summary>A run against reference lines: the first line that differs names stage, step and tensor.</summary>
    public static ExactReport Compare(RunStore run, string[] reference)
    {
        string[] mine = Of(run);
        static string Key(string line) => line.StartsWith("step ", StringComparison.Ordinal) ? string.Join(' ', line.Split(' ').Take(3))
            : line.StartsWith("tensor ", StringComparison.Ordinal) ? string.Join(' ', line.Split(' ').Take(4)) : string.Join(' ', line.Split(' ').Take(line.StartsWith("eval ", StringComparison.Ordinal) ? 2 : 1));
        var expected = reference.Where(l => !l.StartsWith('#')).ToDictionary(Key);
        var found = mine.Where(l => !l.StartsWith('#')).ToDictionary(Key);
        var incomparable = new[] { "contract", "math_hash", "data_hash" }.Where(k => expected.GetValueOrDefault(k) != found.GetValueOrDefault(k)).ToArray();
        if (incomparable.Length > 0)
            return new ExactReport(ExactVerdict.Incomparable, null, [.. incomparable.Select(k => $"{found.GetValueOrDefault(k)}, reference {expected.GetValueOrDefault(k)}")]);
        var missing = expected.Keys.Where(k => !found.ContainsKey(k)).ToArray();
        // tensors at the last step say more than the step's one digest: name the first of them when both differ
        // names are not bits: another name with the same hashes is the same experiment
        var different = reference.Where(l => !l.StartsWith('#')).Select(Key).Where(k => k is not "protocol" && found.TryGetValue(k, out string? m) && m != expected[k]).ToArray();
        string? first = different.Length == 0 ? null : $"{found[different[0]]}, reference {expected[different[0]]}";
        var details = new List<string> { $"{expected.Count} reference lines, {different.Length} differ, {missing.Length} missing in this run" };
        details.AddRange(different.Skip(1).Take(5).Select(k => $"also {k}"));
        var verdict = different.Length > 0 ? ExactVerdict.Diverged : missing.Length > 0 ? ExactVerdict.Missing : ExactVerdict.Identical;
        return new ExactReport(verdict, first ?? (missing.Length > 0 ? $"missing: {missing[0]}" : null), details)
        {
            Compared = new[] { "step", "tensor", "eval" }.ToDictionary(k => k + "s", k => expected.Keys.Count(e => e.StartsWith(k + " ", StringComparison.Ordinal))),
        };
    }
}
