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
    private readonly Table steps;
    private readonly Table digests;
    private readonly Table evals;

    private RunPrefix(Table steps, Table digests, Table evals)
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
        var byStep = digests.Rows.ToLookup(
            r => ((string)r[Schema.Digests.IndexOf("stage")]!, (long)r[Schema.Digests.IndexOf("step")]!),
            r => ((string)r[Schema.Digests.IndexOf("tensor")]!, (byte[])r[Schema.Digests.IndexOf("digest")]!)
        );
        int compared = 0;
        string? first = null;
        string? last = null;
        for (int i = 0; i < steps.Rows.Count && first is null; i++)
        {
            if (steps.Rows[i][Schema.Steps.IndexOf("state_digest")] is not byte[] state)
                continue;
            string stage = steps.Get<string>(i, "stage");
            long step = steps.Get<long>(i, "step");
            if (!reference.Knows(stage, step))
                continue;
            first = reference.Step(stage, step, steps.Get<uint>(i, "loss_bits"), state, byStep[(stage, step)]);
            compared++;
            if (first is null)
                last = FormattableString.Invariant($"{stage} step {step}");
        }
        for (int i = 0; i < evals.Rows.Count && first is null; i++)
            first = reference.Eval(
                evals.Get<string>(i, "metric"),
                evals.Get<long>(i, "correct"),
                evals.Get<long>(i, "n"),
                evals.Get<byte[]>(i, "predictions_digest")
            );
        return (compared, evals.Rows.Count, last ?? "nothing", first);
    }

    private static RunPrefix ReadOnce(RunStore run)
    {
        Table steps = run.Read(Schema.Steps);
        Table digests = run.Read(Schema.Digests);
        Table evals = run.Read(Schema.Evals);
        Table events = run.Read(Schema.Events);
        string? part = run.PartFiles()
            .FirstOrDefault(f => PartName.TryParse(f, out var t, out _) && t.Name == Schema.Events.Name);
        var metadata = part is null ? new Dictionary<string, string>() : TableFile.ReadWithMetadata(part).Metadata;
        int key = Schema.Events.IndexOf("key");
        int value = Schema.Events.IndexOf("value");
        int at = steps.Rows.Count - 1;
        return new RunPrefix(steps, digests, evals)
        {
            Protocol = metadata.GetValueOrDefault(RunIdentity.ProtocolKey),
            MathHash = metadata.GetValueOrDefault(RunIdentity.MathKey),
            DataHash = metadata.GetValueOrDefault(RunIdentity.DataKey),
            HasWeights = metadata.ContainsKey(RunIdentity.WeightsKey),
            Differs = (string?)events.Rows.FirstOrDefault(r => (string)r[key]! == ReferenceWatch.EventKey)?[value],
            Last = at < 0 ? null : new FirstStep(steps.Get<string>(at, "stage"), steps.Get<long>(at, "step")),
            Note = at < 0 ? "no step is on the disk yet: steps are written with the first checkpoint" : null,
        };
    }
}
