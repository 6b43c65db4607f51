using LutNative.Harness.Recording;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>What a comparison found, as rows of the table comparisons.</summary>
internal static class ComparisonRecord
{
    /// <param name="key">What was compared: a protocol, a benchmark.</param>
    internal static Finding Found(string kind, string key, string verdict, string reason) =>
        new(DateTime.UtcNow, kind, key, "", verdict.ToUpperInvariant(), Machine.GitSha ?? "", reason);

    internal static void Write(string folder, IEnumerable<(Finding Found, string A, string B)> findings)
    {
        string id = Guid.CreateVersion7().ToString();
        var table = new Table<ComparisonRow>(
            findings.Select(f => f.Found.ToRow(new RunId(id), RecordedSettings.Place(f.A), RecordedSettings.Place(f.B)))
        );
        RunStore.Create(folder).Commit([table], TableMetadata.Of(id));
    }
}
