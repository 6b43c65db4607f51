using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Training;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>
/// Holds each digest of a run against the committed reference as it is made, so that nobody learns of a difference only
/// at the end. The first one is said at once and recorded, once; the run goes on, or stops after its next checkpoint.
/// </summary>
public sealed class ReferenceWatch
{
    public const string EventKey = "reference_differs";
    private readonly ReferenceDigests reference;
    private readonly Recorder recorder;
    private readonly Action<string> warn;

    private ReferenceWatch(ReferenceDigests reference, Recorder recorder, Action<string> warn)
    {
        this.reference = reference;
        this.recorder = recorder;
        this.warn = warn;
    }

    /// <summary>The first difference of this run, in whichever process; null while there is none.</summary>
    public string? Difference { get; private set; }

    /// <summary>
    /// Null where there is nothing to compare with: no reference, another seed, changed values, weights from outside.
    /// </summary>
    public static ReferenceWatch? Of(RunIdentity run, Recorder recorder, Action<string> warn)
    {
        // a planted fault is exactly what is to be found
        string name = run.Protocol.Name.Replace("+injected", "", StringComparison.Ordinal);
        if (run.WeightsSha256 is not null || Reference.Find(name) is not { } lines)
            return null;
        var reference = ReferenceDigests.Parse(lines);
        if (!reference.IsOf(run.Protocol.MathHash, run.DataHash))
            return null;
        var events = recorder.Store.Read(Schema.Events).Rows;
        return new ReferenceWatch(reference, recorder, warn)
        {
            Difference = events.FirstOrDefault(e => e.Key == EventKey)?.Value,
        };
    }

    public void Step(string stage, long step, float loss, IReadOnlyList<TensorDigest> state)
    {
        if (Difference is not null)
            return;
        var whole = Recorder.Stored(Digest.Combine(state.Select(d => (d.Tensor, d.Value))));
        Found(
            stage,
            step,
            reference.Step(stage, step, Bits32.Of(loss), whole, state.Select(d => (d.Tensor, Recorder.Stored(d.Value))))
        );
    }

    public void Eval(EvalResult e)
    {
        if (Difference is null)
            Found(
                "",
                null,
                reference.Eval(e.Metric, e.Correct, e.Labels.Length, Recorder.Stored(Recorder.DigestOf(e)))
            );
    }

    /// <summary>The error that ends a run which shall not go on with other bits.</summary>
    public LutError Stop(string folder) => NegativeErrors.OtherBitsThanReference(folder, Difference!);

    private void Found(string stage, long? step, string? difference)
    {
        if (difference is null)
            return;
        Difference = difference;
        recorder.Event(EventKey, stage, step, difference);
        warn($"this run has other bits than its reference from here on: {difference}");
    }
}
