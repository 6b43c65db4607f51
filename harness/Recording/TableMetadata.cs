using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Recording;

/// <summary>What tables say of themselves that are no part of a run: of a comparison, a benchmark, a trace, a night.</summary>
internal static class TableMetadata
{
    /// <param name="id">Shared by all rows that belong together.</param>
    internal static Dictionary<string, string> Of(string id) =>
        new() { [RunIdentity.RunIdKey] = id, [RunIdentity.WriterKey] = LutVersion.Writer };
}
