using LutNative.Results;

namespace LutNative.Harness.Recording;

/// <summary>
/// What a run's tables say of its checkpoints. A checkpoint's row is committed before the checkpoint has its name, so
/// each has one, and its bytes are the row's: an edited or exchanged checkpoint is found even without the .sha256
/// beside it. Runs of schema 1.2 and older have no such rows; there the file's own digests hold.
/// </summary>
public sealed class CheckpointLedger
{
    private readonly RunStore run;
    private readonly Dictionary<string, (int Part, string Sha256)> rows;

    private CheckpointLedger(RunStore run, Dictionary<string, (int Part, string Sha256)> rows)
    {
        this.run = run;
        this.rows = rows;
    }

    /// <exception cref="ResultsException">A table cannot be read.</exception>
    public static CheckpointLedger Of(RunStore run)
    {
        var rows = new Dictionary<string, (int Part, string Sha256)>(StringComparer.Ordinal);
        foreach (var row in run.Rows(Schema.Checkpoints))
            rows[row.File] = (row.Part, row.Sha256);
        return new CheckpointLedger(run, rows);
    }

    /// <summary>Why a checkpoint is not what the run wrote; null when it is.</summary>
    /// <param name="part">What the file says of itself.</param>
    public string? Contradiction(string path, string sha256, int part)
    {
        if (!rows.TryGetValue(Path.GetFileName(path), out var row))
            return IsOlder(part) ? null : "the run's table of checkpoints does not name it";
        if (row.Sha256 != sha256)
            return $"its SHA-256 is {sha256}, the run's table of checkpoints has {row.Sha256}";
        return row.Part == part
            ? null
            : FormattableString.Invariant($"it names part {part}, the run's table of checkpoints part {row.Part}");
    }

    /// <summary>Written by a lut that kept no such rows.</summary>
    private bool IsOlder(int part)
    {
        string events = Path.Combine(run.Folder, PartName.Of(Schema.Events, part));
        if (!File.Exists(events))
            return false;
        var version = TableFile.ReadWithMetadata(events).Metadata["lut.schema_version"];
        return System.Version.TryParse(version, out var v) && v < new System.Version(1, Schema.Checkpoints.Since);
    }
}
