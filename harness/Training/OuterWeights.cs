using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Model.Checkpoints;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>What weights are for: which tensors must be there, and what becomes of those that are not.</summary>
public enum WeightsUse
{
    /// <summary>Frozen features (k-NN, probes): the encoder with its final norm.</summary>
    Features,

    /// <summary>
    /// Fine-tuning with global pooling: the final norm is not used (fc_norm begins anew), so it may be missing.
    /// </summary>
    PooledFinetuning,

    /// <summary>
    /// Pre-training goes on: decoder and heads are taken where they are there, and begin from the seed where not.
    /// </summary>
    Pretraining,

    /// <summary>A fine-tuned classifier: everything.</summary>
    Classifier,
}

/// <summary>Weights from outside that were loaded into a network.</summary>
/// <param name="Notes">What a user should know, one fact a line; recorded with the run.</param>
public sealed record LoadedWeights(string Path, LoadReport Report, string Prefix, IReadOnlyList<string> Notes);

/// <summary>
/// Weights from outside: a checkpoint of ours, or anybody's file that <see cref="WeightSet"/> understands. A run and
/// every other verb load them here, by one rule.
/// </summary>
public static class OuterWeights
{
    /// <param name="which">A set of the file, or "" for the usual one.</param>
    /// <exception cref="LutError">Exit 6: the file cannot be read, or is not this network's.</exception>
    public static LoadedWeights Load(string path, string which, State state, WeightsUse use)
    {
        try
        {
            ProveOurs(path);
            using var set = WeightSet.Open(path, which);
            var report = WeightLoader.Load(
                set,
                state,
                name => use is WeightsUse.Classifier or WeightsUse.Pretraining || EncoderNames.Is(name)
            );
            string[] lacking = [.. report.Missing.Where(n => Needs(use, n))];
            if (lacking.Length > 0)
                throw new CheckpointException(
                    $"{path} lacks {lacking.Length} tensors of the "
                        + $"{(use == WeightsUse.Classifier ? "classifier" : "encoder")}: "
                        + $"{WeightLoader.Names(lacking)}{Instead(set, lacking)}"
                );
            return new LoadedWeights(path, report, set.Prefix, [.. Notes(set, report, use)]);
        }
        catch (CheckpointException e)
        {
            throw DataErrors.OuterWeights(
                path,
                e.Message,
                use == WeightsUse.Classifier
                    ? "give a fine-tuned checkpoint of this protocol's network (global_pool and classes included)"
                    : "give pre-trained weights of this protocol's network: ours, .safetensors, .pth or .pt; "
                        + "docs/CHECKPOINTS.md says what is read"
            );
        }
    }

    /// <summary>How a run of these stages uses weights.</summary>
    public static WeightsUse UseOf(IReadOnlyList<StageId> stages, ProtocolSpec p)
    {
        if (stages.Contains(StageId.Pretrain))
            return WeightsUse.Pretraining;
        bool pooled = p.Finetune.GlobalPool && stages.All(s => s == StageId.Finetune);
        return pooled ? WeightsUse.PooledFinetuning : WeightsUse.Features;
    }

    /// <summary>A file that we wrote carries digests: they are checked before anything is used.</summary>
    private static void ProveOurs(string path)
    {
        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return;
        using var file = Safetensors.Open(path);
        if (file.Metadata.ContainsKey("lut.math_hash") && CheckpointFile.Prove(file).Damage is { } damage)
            throw new CheckpointException($"{path} is damaged: {damage}; use another checkpoint");
    }

    private static bool Needs(WeightsUse use, string name) =>
        use switch
        {
            WeightsUse.Classifier => true,
            _ when name == "pos_embed" => false, // the network's own is a fixed table
            WeightsUse.PooledFinetuning => EncoderNames.Is(name) && !name.StartsWith("norm.", StringComparison.Ordinal),
            _ => EncoderNames.Is(name),
        };

    private static string Instead(WeightSet set, string[] lacking) =>
        lacking.All(n => n.StartsWith("norm.", StringComparison.Ordinal)) && set.Tensors.ContainsKey("fc_norm.weight")
            ? "; it has fc_norm, the norm of a classifier with global pooling: such weights can only be "
                + "fine-tuned with global pooling"
            : "";

    private static IEnumerable<string> Notes(WeightSet set, LoadReport report, WeightsUse use)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"checkpoint {set.Path}: {report.Loaded} tensors, {report.Missing.Count} missing{Some(report.Missing)}, "
                + $"{report.Unused.Count} not used{Some(report.Unused)}{(report.Interpolated.Count > 0 ? ", interpolated" + Some(report.Interpolated) : "")}"
        );
        if (set.Choice is { } choice)
            yield return "weights: " + choice;
        if (report.Missing.Contains("pos_embed"))
            yield return "weights: pos_embed is not in the file; the fixed table of MAE is used";
        if (
            use == WeightsUse.Pretraining
            && report.Missing.Where(n => n is not ("pos_embed" or "decoder_pos_embed")).ToArray()
                is { Length: > 0 } seeded
        )
            yield return FormattableString.Invariant(
                $"weights: {seeded.Length} tensors are not in the file and begin from the seed{Some(seeded)}"
            );
        if (set.Beside.Count > 0)
            yield return $"warning: objects beside the weights were not read: {string.Join(", ", set.Beside.Take(8))}{(set.Beside.Count > 8 ? ", ..." : "")}; "
                + "nothing of them was made or run";
    }

    private static string Some(IReadOnlyList<string> names) =>
        names.Count == 0 ? "" : $" ({string.Join(", ", names.Take(4))}{(names.Count > 4 ? ", ..." : "")})";
}
