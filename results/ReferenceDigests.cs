using System.Globalization;

namespace LutNative.Results;

/// <summary>
/// What a reference says of single digests, for a run that has not ended: each can be held against it as it is made.
/// </summary>
public sealed class ReferenceDigests
{
    private readonly Dictionary<string, string> facts = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Stage, long Step), (string Loss, string State)> steps = [];
    private readonly Dictionary<(string Stage, long Step, string Tensor), string> tensors = [];
    private readonly Dictionary<string, string> evals = new(StringComparer.Ordinal);

    private ReferenceDigests() { }

    public int Steps => steps.Count;

    /// <exception cref="ResultsException">A line is none of a reference's.</exception>
    public static ReferenceDigests Parse(IEnumerable<string> lines)
    {
        var reference = new ReferenceDigests();
        foreach (string line in lines.Where(l => l.Length > 0 && !l.StartsWith('#')))
        {
            string[] w = line.Split(' ');
            long step =
                w is ["step" or "tensor", _, var number, ..]
                && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long n)
                    ? n
                    : -1;
            if (w is ["step", var stage, _, "loss", var loss, "state", var state] && step >= 0)
                reference.steps[(stage, step)] = (loss, state);
            else if (w is ["tensor", var of, _, var tensor, var digest] && step >= 0)
                reference.tensors[(of, step, tensor)] = digest;
            else if (w is ["eval", var metric, ..])
                reference.evals[metric] = line;
            else if (w is [var key, var value])
                reference.facts[key] = value;
            else
                throw new ResultsException(
                    StoreFault.Unreadable,
                    "this is no reference",
                    "a .digests file",
                    $"it has the line \"{line}\"",
                    "restore it from the repository"
                );
        }
        return reference;
    }

    /// <summary>
    /// Are the run's bits its business? Another seed, other data or another contract have other digests.
    /// </summary>
    public bool IsOf(string mathHash, string dataHash) =>
        facts.GetValueOrDefault("math_hash") == mathHash && facts.GetValueOrDefault("data_hash") == dataHash;

    public string? Fact(string key) => facts.GetValueOrDefault(key);

    /// <summary>Has it this step's state?</summary>
    public bool Knows(string stage, long step) => steps.ContainsKey((stage, step));

    /// <summary>
    /// What differs in a step, the tensor first where the reference has tensors; null when nothing does or the
    /// reference has no such step.
    /// </summary>
    /// <param name="digests">By tensor.</param>
    public string? Step(
        string stage,
        long step,
        Bits32 lossBits,
        DigestBytes state,
        IEnumerable<(string Tensor, DigestBytes Digest)> digests
    )
    {
        foreach (var (tensor, digest) in digests)
            if (tensors.TryGetValue((stage, step, tensor), out string? expected) && digest.ToString() != expected)
                return FormattableString.Invariant(
                    $"step {step} of {stage}, tensor {tensor}: {digest}, reference {expected}"
                );
        if (!steps.TryGetValue((stage, step), out var known))
            return null;
        string loss = lossBits.Value.ToString("x8", CultureInfo.InvariantCulture);
        if (loss != known.Loss)
            return FormattableString.Invariant($"step {step} of {stage}, loss_bits: {loss}, reference {known.Loss}");
        return state.ToString() == known.State
            ? null
            : FormattableString.Invariant($"step {step} of {stage}, state: {state}, reference {known.State}");
    }

    /// <summary>
    /// What differs in an evaluation; null when nothing does or the reference has none of this metric.
    /// </summary>
    public string? Eval(string metric, long correct, long n, DigestBytes predictions)
    {
        string line = FormattableString.Invariant($"eval {metric} {correct}/{n} predictions {predictions}");
        return evals.TryGetValue(metric, out string? expected) && expected != line
            ? $"{line}, reference {expected}"
            : null;
    }
}
