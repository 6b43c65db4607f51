using LutNative.Harness.Training;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>What a run recorded of a stage's steps, to hold a step that runs here against it.</summary>
internal sealed class Recorded
{
    private static readonly string[] Values =
    [
        "batch_ids_digest",
        "views_digest",
        "mask_digest",
        "loss_recon_bits",
        "loss_context_bits",
        "loss_bits",
        "grad_norm_bits",
    ]; // from cause to effect
    private readonly Dictionary<long, object?[]> steps;
    private readonly Dictionary<long, Dictionary<string, Digest>> digests;

    internal Recorded(RunStore run, string stage)
    {
        Run = run;
        steps = run.Read(Schema.Steps)
            .Rows.Where(r => (string)r[Schema.Steps.IndexOf("stage")]! == stage)
            .ToDictionary(r => (long)r[Schema.Steps.IndexOf("step")]!);
        int tensor = Schema.Digests.IndexOf("tensor");
        int digest = Schema.Digests.IndexOf("digest");
        digests = run.Read(Schema.Digests)
            .Rows.Where(r => (string)r[Schema.Digests.IndexOf("stage")]! == stage)
            .GroupBy(r => (long)r[Schema.Digests.IndexOf("step")]!)
            .ToDictionary(
                g => g.Key,
                g => g.ToDictionary(r => (string)r[tensor]!, r => Digest.From((byte[])r[digest]!))
            );
        Operations =
        [
            .. run.Read(Schema.Operations).Rows.Where(r => (string)r[Schema.Operations.IndexOf("stage")]! == stage),
        ];
    }

    internal RunStore Run { get; }
    internal IReadOnlyList<object?[]> Operations { get; }

    internal Dictionary<string, Digest>? DigestsOf(long step) => digests.GetValueOrDefault(step);

    /// <summary>
    /// The last step before this one after which both recorded their state (and, nothing having differed, the same
    /// one); -1 when there is none.
    /// </summary>
    internal long LastState(Recorded other, long before) =>
        digests.Keys.Where(s => s < before && other.digests.ContainsKey(s)).DefaultIfEmpty(-1).Max();

    /// <summary>
    /// What differs first between the record and a step that ran here, or null. Whatever was not recorded does not
    /// differ.
    /// </summary>
    internal string? Difference(long step, StepReport r, IReadOnlyList<TensorDigest> state)
    {
        if (!steps.TryGetValue(step, out var row))
            return $"it has no step {step}";
        object?[] mine =
        [
            r.BatchIds.ToBytes(),
            r.Views?.ToBytes(),
            r.Masks?.ToBytes(),
            Recorder.Bits(r.Recon),
            Recorder.Bits(r.Context),
            Recorder.Bits(r.Loss),
            Recorder.Bits(r.GradNorm),
        ];
        for (int i = 0; i < Values.Length; i++)
            if (
                row[Schema.Steps.IndexOf(Values[i])] is { } theirs
                && mine[i] is { } own
                && Table.Show(theirs) != Table.Show(own)
            )
                return $"{Values[i]} {Show(own)}, recorded {Show(theirs)}";
        return Tensors(step, state) is [var first, ..] ? first : null;
    }

    /// <summary>Names of the tensors whose recorded digest is another one, in the state's order.</summary>
    internal IReadOnlyList<string> Tensors(long step, IReadOnlyList<TensorDigest> state) =>
        DigestsOf(step) is { } theirs
            ? [.. state.Where(t => theirs.TryGetValue(t.Tensor, out var d) && d != t.Value).Select(t => t.Tensor)]
            : [];

    private static string Show(object v) =>
        v is uint bits
            ? FormattableString.Invariant($"0x{bits:x8} ({BitConverter.UInt32BitsToSingle(bits):R})")
            : Table.Show(v);
}
