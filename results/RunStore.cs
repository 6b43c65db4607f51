using System.Security.Cryptography;
using System.Text;

namespace LutNative.Results;

/// <summary>
/// A run's folder: tables as numbered parts (steps-00003.parquet), each written once and never changed, and a few plain files. A commit writes one part
/// of every table that has new rows; after an interruption the parts that the resumed checkpoint does not know are dropped and made again.
/// When a run ends, MANIFEST.sha256 covers every file and COMPLETE marks the folder immutable.
/// </summary>
public sealed class RunStore(string folder)
{
    public const string ManifestName = "MANIFEST.sha256", CompleteName = "COMPLETE";

    public string Folder { get; } = folder;
    public bool IsComplete => File.Exists(Path.Combine(Folder, CompleteName));

    public static RunStore Create(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResultsException(StoreFault.CannotWrite, "cannot create the run's folder", folder, e.Message, "choose another --output");
        }
        return new RunStore(folder);
    }

    /// <summary>The highest part number of any table; -1 when there is none.</summary>
    public int LastPart() => PartFiles().Select(PartNumber).DefaultIfEmpty(-1).Max();

    /// <summary>Writes one part of each non-empty table under the next number and empties them; returns the number.</summary>
    public int Commit(IEnumerable<Table> tables, IReadOnlyDictionary<string, string> metadata)
    {
        int part = LastPart() + 1;
        foreach (var table in tables.Where(t => t.Rows.Count > 0))
        {
            TableFile.Write(Path.Combine(Folder, PartName.Of(table.Schema, part)), table, metadata);
            table.Clear();
        }
        return part;
    }

    /// <summary>Removes later parts. Only a run whose checkpoint was read, or that has none, makes them again.</summary>
    public void DropPartsAfter(int part)
    {
        foreach (string f in PartFiles().Where(f => PartNumber(f) > part)) File.Delete(f);
    }

    /// <summary>Every file of a table, by exact name, in order.</summary>
    public IReadOnlyList<string> PartFiles() => [.. Parts("*")];

    /// <summary>All rows of a table, parts in order; empty when the run has none.</summary>
    public Table Read(TableSchema schema)
    {
        var all = new Table(schema);
        foreach (string f in Parts(schema.Name)) all.AddRange(TableFile.Read(f));
        return all;
    }

    public void WriteManifest()
    {
        var lines = Files().Select(f => $"{Sha256(f)}  {Path.GetRelativePath(Folder, f)}");
        WriteWhole(ManifestName, string.Join("\n", lines) + "\n");
        WriteWhole(CompleteName, "");
    }

    /// <summary>A small file that is there whole or not at all.</summary>
    private void WriteWhole(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        using (var stream = File.Create(path + ".tmp"))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(true);
        }
        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Every file whose bytes are not what the manifest says, with the reason; empty when the run is intact.</summary>
    public IReadOnlyList<string> Damage()
    {
        string manifest = Path.Combine(Folder, ManifestName);
        if (!File.Exists(manifest)) return [$"{ManifestName} is missing: the run did not finish, or the file was removed"];
        var problems = new List<string>();
        foreach (string line in File.ReadAllLines(manifest))
        {
            string[] part = line.Split("  ", 2);
            if (part.Length != 2) problems.Add($"{ManifestName} has a malformed line: {line}");
            else if (!File.Exists(Path.Combine(Folder, part[1]))) problems.Add($"{part[1]} is missing");
            else if (Sha256(Path.Combine(Folder, part[1])) != part[0]) problems.Add($"{part[1]} has changed since the run ended (its SHA-256 differs from the manifest)");
        }
        return problems;
    }

    public static string Sha256(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private IEnumerable<string> Files() =>
        Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) is not (ManifestName or CompleteName or FolderLock.Name) && !f.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private IEnumerable<string> Parts(string table)
    {
        if (!Directory.Exists(Folder)) throw new ResultsException(StoreFault.Missing, $"there is no run {Folder}", Path.GetFullPath(Folder), "the folder does not exist", "`lut ls` lists the runs");
        return Directory.GetFiles(Folder, table + "-*.parquet").Where(f => PartName.TryParse(f, out var t, out _) && (table is "*" || t.Name == table)).Order(StringComparer.Ordinal);
    }

    private static int PartNumber(string path) => PartName.TryParse(path, out _, out int part) ? part : -1;
}
