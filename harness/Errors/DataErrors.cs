namespace LutNative.Harness.Errors;

/// <summary>A checkpoint, a night's rows or another input is missing, damaged, or not the expected one.</summary>
internal static class DataErrors
{
    /// <param name="fix">Which kind of weights is wanted.</param>
    internal static LutError OuterWeights(string path, string why, string fix) =>
        new(Exit.Data, 20, "the checkpoint cannot be used", path, why, fix);

    internal static LutError PretrainedWeightsGone(string folder) =>
        new(
            Exit.Data,
            27,
            "the pre-trained weights are gone",
            folder,
            "fine-tuning begins with the last checkpoint of pre-training",
            "restore it, or trace a run that still has it"
        );

    internal static LutError NoPretrainedCheckpoint(string folder) =>
        new(
            Exit.Data,
            28,
            "the run has no checkpoint of pre-training",
            folder,
            "the encoder's weights are read from it",
            "analyze a run that pre-trained, with its checkpoints"
        );

    /// <summary>What the readers of checkpoints say: the file's name is in it.</summary>
    internal static LutError Checkpoint(string why) =>
        new(Exit.Data, 100, "a checkpoint cannot be used", "the checkpoint file", why, "use another checkpoint");

    internal static LutError NoUsableCheckpoint(IReadOnlyCollection<string> reasons, string folder) =>
        new(
            Exit.Data,
            400,
            $"none of {reasons.Count} checkpoints can be used",
            folder,
            string.Join("; ", reasons),
            "restore one of them from a copy, or start a new run without --resume; nothing was removed"
        );

    /// <param name="told">The part of the tables that tells of a checkpoint.</param>
    /// <param name="last">The last part that is there.</param>
    internal static LutError CheckpointsGone(string folder, int told, int last) =>
        new(
            Exit.Data,
            401,
            "the run's checkpoints are gone",
            folder,
            $"part {told} of the tables tells of one, parts up to {last} came after it, and the folder checkpoints holds none",
            "restore them from a copy and resume, or start a new run without --resume; nothing was touched"
        );

    internal static LutError NestedTooDeeply(string why) =>
        new(
            Exit.Data,
            460,
            "an input is nested too deeply",
            "a file that was being read",
            why,
            "give a file as its own tools write it"
        );

    internal static LutError NoRowsName(string key, string night, string rule) =>
        new(
            Exit.Data,
            486,
            $"{key} cannot be a row's name",
            night,
            rule,
            "accept a night that lut wrote, or its other rows with --row"
        );

    internal static LutError NoThroughput(string key, string folder) =>
        new(
            Exit.Data,
            487,
            $"the night has no throughput of {key}",
            folder,
            "a baseline is made of the launches' speeds",
            "accept another night, or its other rows with --row"
        );
}
