using LutNative.Harness.Training;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>What a run recorded of a stage's steps, to hold a step that runs here against it.</summary>
internal sealed class Recorded
{
    private readonly Dictionary<long, StepRow> steps;
    private readonly Dictionary<long, Dictionary<string, Digest>> digests;

    internal Recorded(RunStore run, string stage)
    {
        Run = run;
        steps = run.Rows(Schema.Steps).Where(r => r.Stage == stage).ToDictionary(r => r.Step);
        digests = run.Rows(Schema.Digests)
            .Where(r => r.Stage == stage)
            .GroupBy(r => r.Step)
            .ToDictionary(g => g.Key, g => g.ToDictionary(r => r.Tensor, r => Digest.From(r.Digest.ToArray())));
        Operations = [.. run.Rows(Schema.Operations).Where(r => r.Stage == stage)];
    }

    internal RunStore Run { get; }
    internal IReadOnlyList<OperationRow> Operations { get; }

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
        // from cause to effect
        return Differs<DigestBytes>("batch_ids_digest", Recorder.Stored(r.BatchIds), row.BatchIdsDigest)
            ?? Differs<DigestBytes>("views_digest", Recorder.Stored(r.Views), row.ViewsDigest)
            ?? Differs<DigestBytes>("mask_digest", Recorder.Stored(r.Masks), row.MaskDigest)
            ?? Differs<Bits32>("loss_recon_bits", Bits32.Of(r.Recon), row.LossReconBits)
            ?? Differs<Bits32>("loss_context_bits", Bits32.Of(r.Context), row.LossContextBits)
            ?? Differs<Bits32>("loss_bits", Bits32.Of(r.Loss), row.LossBits)
            ?? Differs<Bits32>("grad_norm_bits", Bits32.Of(r.GradNorm), row.GradNormBits)
            ?? (Tensors(step, state) is [var first, ..] ? first : null);
    }

    /// <summary>Names of the tensors whose recorded digest is another one, in the state's order.</summary>
    internal IReadOnlyList<string> Tensors(long step, IReadOnlyList<TensorDigest> state) =>
        DigestsOf(step) is { } theirs
            ? [.. state.Where(t => theirs.TryGetValue(t.Tensor, out var d) && d != t.Value).Select(t => t.Tensor)]
            : [];

    private static string? Differs<T>(string column, T? own, T? theirs)
        where T : struct, IEquatable<T> =>
        own is { } x && theirs is { } y && !x.Equals(y) ? $"{column} {x}, recorded {y}" : null;
}
