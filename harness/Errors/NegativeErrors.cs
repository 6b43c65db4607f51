namespace LutNative.Harness.Errors;

/// <summary>Bits differ where they must not.</summary>
internal static class NegativeErrors
{
    internal static LutError AgreesWithNeither(long step, string stage, string why) =>
        new(
            Exit.Negative,
            1,
            $"this machine agrees with neither run at step {step}, where they agree with each other",
            $"stage {stage}",
            why,
            "trace on another machine; check this one with `lut doctor` and `run --self-check`"
        );

    internal static LutError OtherBitsThanReference(string folder, string difference) =>
        new(
            Exit.Negative,
            400,
            "the run has other bits than its reference",
            folder,
            difference,
            "the checkpoint is kept. `lut doctor` checks this machine; `lut trace` finds the operation, "
                + "given a run with the right bits; without --fail-fast a run goes on"
        );
}
