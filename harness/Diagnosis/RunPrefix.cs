using LutNative.Harness.Recording;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// What a run that has not ended has recorded so far. Parts are renamed whole, so that a writer does not disturb; one
/// that is dropped meanwhile is read again.
/// </summary>
internal sealed class RunPrefix
{
    private const int Attempts = 5;
    private readonly IReadOnlyList<StepRow> steps;
    private readonly IReadOnlyList<DigestRow> digests;
    private readonly IReadOnlyList<EvalRow> evals;

    private RunPrefix(IReadOnlyList<StepRow> steps, IReadOnlyList<DigestRow> digests, IReadOnlyList<EvalRow> evals)
    {
        this.steps = steps;
        this.digests = digests;
        this.evals = evals;
    }

    internal string? Protocol { get; private init; }
    internal string? MathHash { get; private init; }
    internal string? DataHash { get; private init; }

    /// <summary>It began with weights from outside: a reference has its own.</summary>
    internal bool HasWeights { get; private init; }

    /// <summary>The difference that the run itself has seen; null for none.</summary>
    internal string? Differs { get; private init; }

    internal FirstStep? Last { get; private init; }

    /// <summary>What people should know besides.</summary>
    internal string? Note { get; private init; }

    /// <exception cref="ResultsException">A table cannot be read.</exception>
    internal static RunPrefix Read(RunStore run)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return ReadOnce(run);
            }
            catch (ResultsException e) when (e.Fault == StoreFault.Missing && attempt < Attempts)
            {
                // the run was resumed just now, and makes later parts again
                Thread.Sleep(100);
            }
        }
    }

    internal (int Steps, int Evals, string Last, string? First) Compare(ReferenceDigests reference)
    {
        var byStep = digests.ToLookup(r => (r.Stage, r.Step), r => (r.Tensor, r.Digest));
        int compared = 0;
        string? first = null;
        string? last = null;
        foreach (var r in steps)
        {
            if (first is not null || r.StateDigest is not { } state || !reference.Knows(r.Stage, r.Step))
                continue;
            first = reference.Step(r.Stage, r.Step, r.LossBits, state, byStep[(r.Stage, r.Step)]);
            compared++;
            if (first is null)
                last = FormattableString.Invariant($"{r.Stage} step {r.Step}");
        }
        foreach (var e in evals)
            first ??= reference.Eval(e.Metric, e.Correct, e.N, e.PredictionsDigest);
        return (compared, evals.Count, last ?? "nothing", first);
    }

    private static RunPrefix ReadOnce(RunStore run)
    {
        var steps = run.Read(Schema.Steps).Rows;
        var digests = run.Read(Schema.Digests).Rows;
        var evals = run.Read(Schema.Evals).Rows;
        var events = run.Read(Schema.Events).Rows;
        string? part = run.PartFiles()
            .FirstOrDefault(f => PartName.TryParse(f, out var t, out _) && t == Schema.Events);
        var metadata = part is null ? new Dictionary<string, string>() : TableFile.ReadWithMetadata(part).Metadata;
        var last = steps.Count > 0 ? steps[^1] : null;
        return new RunPrefix(steps, digests, evals)
        {
            Protocol = metadata.GetValueOrDefault(RunIdentity.ProtocolKey),
            MathHash = metadata.GetValueOrDefault(RunIdentity.MathKey),
            DataHash = metadata.GetValueOrDefault(RunIdentity.DataKey),
            HasWeights = metadata.ContainsKey(RunIdentity.WeightsKey),
            Differs = events.FirstOrDefault(e => e.Key == ReferenceWatch.EventKey)?.Value,
            Last = last is null ? null : new FirstStep(last.Stage, last.Step),
            Note = last is null ? "no step is on the disk yet: steps are written with the first checkpoint" : null,
        };
    }
}
