using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Diagnosis;
using LutNative.Model.Ops;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// Tries what could have given a run's bits at a step: an operation computed in one of the usual other ways (order of
/// sums, split sums, no fused multiply-add, TF32, flush to zero).
/// </summary>
internal sealed class OtherArithmetic(TracedStage stage, long step)
{
    /// <summary>
    /// Whether this machine gives the run's record when it computes an operation in another way, from a step on.
    /// </summary>
    internal bool Gives(Recorded run, OpId op, Variant how, Snapshot start, long first)
    {
        start.Restore();
        stage.Device.Fault = (op, how);
        try
        {
            for (long s = first; s <= step; s++)
            {
                var (r, state) = stage.Step(s);
                if (run.Difference(s, r, state) is not null)
                    return false;
            }
            return true;
        }
        catch (LutError)
        {
            return false; // not finite: that is not what the run recorded
        }
        finally
        {
            stage.Device.Fault = null;
        }
    }

    /// <summary>The first operation whose result the explanation changes, and the first element of it.</summary>
    internal (string Place, ElementPair? Element) Parting(
        OpId op,
        Variant how,
        Snapshot start,
        long first,
        List<Operation> clean
    )
    {
        (Operation Mine, float[] Theirs)? parting = null;
        start.Restore();
        stage.Device.Fault = (op, how);
        for (long s = first; s < step; s++)
            stage.Trainer.Step(s);
        int at = 0;
        StepTrace.Record(
            stage.Trainer,
            stage.Device,
            step,
            _ => { },
            (o, value) =>
            {
                if (parting is null && at < clean.Count && clean[at].Digest != o.Digest)
                    parting = (clean[at], value.Span.ToArray());
                at++;
            }
        );
        stage.Device.Fault = null;
        if (parting is not { } p)
            return ("no single operation of the step: the state before it differs", null);
        ElementPair? pair = null;
        start.Restore();
        for (long s = first; s < step; s++)
            stage.Trainer.Step(s);
        StepTrace.Record(
            stage.Trainer,
            stage.Device,
            step,
            _ => { },
            (o, value) =>
            {
                if (o.Ordinal == p.Mine.Ordinal)
                    pair = ElementPair.First($"{o.Output} of {o.Op} at {o.Tensor}", value.Span, p.Theirs);
            }
        );
        return (p.Mine + "; its inputs are equal", pair);
    }
}
