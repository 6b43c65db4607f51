namespace LutNative.Harness.Errors;

/// <summary>Numbers are not finite, or do not repeat.</summary>
internal static class NumericsErrors
{
    internal static LutError NotFinite(float loss, double norm, long step, string stage, string where) =>
        new(
            Exit.Numerics,
            1,
            FormattableString.Invariant($"loss = {loss}, gradient norm = {norm} at step {step} of {stage}"),
            $"step {step}, {where}",
            "a non-finite loss or gradient stops a run, because everything after it would be noise",
            "lower the learning rate or set clip_grad; the last checkpoint is intact"
        );

    /// <param name="one">The digest under the setting `underOne`.</param>
    internal static LutError NotRepeated(
        string tensor,
        long step,
        string one,
        string underOne,
        string other,
        string underOther
    ) =>
        new(
            Exit.Numerics,
            2,
            $"this machine does not repeat its own bits: {tensor}",
            $"step {step} of pretrain, {one} with {underOne}, {other} with {underOther}",
            "the same steps must give the same bits however they are cut",
            "check the memory and the cooling of this machine (`lut doctor`); where it happens on another one too, report it with both lines"
        );
}
