using LutNative.Harness.Training;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>Commands that bring the first difference of two runs back.</summary>
internal static class Replay
{
    internal static string[] Of(RunStore a, RunStore b, FirstStep at)
    {
        // fine-tuning and probes of weights from outside need the same file again
        string weights = OuterWeightsFile.Of(a) is { } used ? " " + used.Options : "";
        return
        [
            $"lut trace {a.Folder} {b.Folder}{(at.Stage == StageId.Finetune.Name ? weights : "")}",
            $"{Run(ProtocolOf(a), weights, at)}   (on either machine; then compare its operations)",
        ];
    }

    /// <summary>
    /// A built-in protocol is told by its name; a changed one, or a run that has not ended, by what it stored.
    /// </summary>
    private static string ProtocolOf(RunStore a)
    {
        var run = a.Read(Schema.Run).First;
        return run is not null && !run.Protocol.Contains('+')
            ? FormattableString.Invariant($"{run.Protocol} --seed {run.Seed}")
            : Path.Combine(a.Folder, "config.resolved.toml");
    }

    private static string Run(string protocol, string weights, FirstStep at)
    {
        if (at.Stage == StageId.Pretrain.Name)
            return FormattableString.Invariant(
                $"lut pretrain {protocol} --trace-step {at.Step} --stop-after {at.Step + 1}"
            );
        string alone = at.Stage == StageId.Finetune.Name ? at.Stage : "eval";
        string verb = weights.Length == 0 ? "run" : alone;
        return FormattableString.Invariant($"lut {verb} {protocol}{weights} --trace-step {at.Step}");
    }
}
