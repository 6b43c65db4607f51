using System.Globalization;
using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>The names of checkpoints, pretrain-00000012.safetensors: exactly those belong to a run.</summary>
/// <param name="Step">The next step to run.</param>
public sealed record CheckpointName(string Stage, long Step)
{
    private const string Extension = ".safetensors";

    /// <param name="stages">Whose checkpoints belong to the run.</param>
    public static CheckpointName? Parse(string path, IReadOnlyList<StageId> stages)
    {
        string name = Path.GetFileName(path);
        if (!name.EndsWith(Extension, StringComparison.Ordinal))
            return null;
        string[] parts = name[..^Extension.Length].Split('-');
        if (parts.Length != 2 || stages.All(s => s.Name != parts[0]))
            return null;
        if (!long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long step))
            return null;
        var parsed = new CheckpointName(parts[0], step);
        return parsed.ToString() == name ? parsed : null;
    }

    public override string ToString() => FormattableString.Invariant($"{Stage}-{Step:d8}{Extension}");
}
