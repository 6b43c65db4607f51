using LutNative.Harness.Reports;
using LutNative.Model.Checkpoints;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>Weights from outside: a checkpoint of ours, or anybody's file with the authors' names. The encoder must be whole; a file without decoder or heads is what MAE publishes.</summary>
internal static class OutsideWeights
{
    /// <exception cref="LutError">They cannot be used (exit 6).</exception>
    internal static void Load(RunRequest request, string path, State student, Progress progress)
    {
        try
        {
            bool ours = path.EndsWith(".safetensors", StringComparison.Ordinal) && Safetensors.Read(path).Metadata.ContainsKey("lut.math_hash");
            if (ours) CheckpointFile.ReadChecked(path);
            var report = ForeignCheckpoint.Load(ForeignCheckpoint.Read(path, ours ? "" : request.Which), student, path);
            progress.Say(FormattableString.Invariant($"checkpoint {path}: {report.Loaded} tensors, {report.Missing.Count} missing{Names(report.Missing)}, {report.Unexpected.Count} not used{Names(report.Unexpected)}{(report.Interpolated.Count > 0 ? ", interpolated" + Names(report.Interpolated) : "")}"));
            string[] encoder = [.. report.Missing.Where(n => n is "cls_token" || n.StartsWith("patch_embed.", StringComparison.Ordinal) || n.StartsWith("blocks.", StringComparison.Ordinal) || n.StartsWith("norm.", StringComparison.Ordinal))];
            if (encoder.Length > 0) throw new CheckpointException($"{path} lacks {encoder.Length} tensors of the encoder{Names(encoder)}");
        }
        catch (CheckpointException e)
        {
            throw new LutError(Exit.Data, 20, "the checkpoint cannot be used", path, e.Message, "give pre-trained weights of this protocol's network: ours, .safetensors, .pth or .pt");
        }

        static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "" : $" ({string.Join(", ", names.Take(4))}{(names.Count > 4 ? ", ..." : "")})";
    }
}
