using System.Text.Json;
using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Protocol;

/// <summary>What +modified means: the values of a run that its built-in protocol has others of.</summary>
internal static class Overrides
{
    /// <summary>
    /// "pretrain.epochs: 2 and 3", the run's value first; empty for a run without overrides, and for one of a protocol
    /// file.
    /// </summary>
    internal static IReadOnlyList<string> Of(RunStore run)
    {
        string path = Path.Combine(run.Folder, ConfigDifference.FileName);
        try
        {
            if (!File.Exists(path))
                return [];
            string canonical = File.ReadAllText(path);
            string name = ProtocolReader.Load(Path.Combine(run.Folder, "config.resolved.toml"), []).Spec.Protocol;
            return ProtocolReader.BuiltIn.Contains(name)
                ? ConfigDifference.Of(canonical, ProtocolReader.Load(name, []).CanonicalJson)
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or LutError)
        {
            return [$"cannot be told: {e.Message}"];
        }
    }
}
