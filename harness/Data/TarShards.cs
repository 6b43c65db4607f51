using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Harness.Data;

/// <summary>
/// WebDataset shards: tar files in ordinal order of their names; an image KEY.jpg (jpeg, png) and its label KEY.cls, a decimal number, beside each other. Shards are
/// walked once for places; images are then read where they lie.
/// </summary>
public sealed class TarShards : IContainer, IDisposable
{
    private readonly string root;
    private readonly ConcurrentDictionary<string, SafeFileHandle> open = new(StringComparer.Ordinal);

    public TarShards(string root, IReadOnlyList<string> shards)
    {
        this.root = root;
        var places = new List<ImagePlace>();
        foreach (string shard in shards) Walk(shard, places);
        Places = places;
    }

    public string Kind => "tar shards";
    public IReadOnlyList<ImagePlace> Places { get; }
    public IReadOnlyList<string>? Classes => null;

    public bool InOrder => false;

    public byte[] Read(in ImagePlace place)
    {
        var file = open.GetOrAdd(place.Place, (name, r) => File.OpenHandle(Path.Combine(r, name)), root);
        if (place.Offset + place.Length > RandomAccess.GetLength(file)) throw new IOException($"{place.Place} ends before an image that its index names");
        byte[] bytes = new byte[place.Length];
        for (int done = 0, n; done < bytes.Length; done += n)
            if ((n = RandomAccess.Read(file, bytes.AsSpan(done), place.Offset + done)) == 0) throw new IOException($"{place.Place} is truncated");
        return bytes;
    }

    private void Walk(string shard, List<ImagePlace> places)
    {
        string path = Path.Combine(root, shard);
        LutError Bad(string why) => new(Exit.Data, 12, $"{shard} is not a WebDataset shard", path, why, "each image needs a .cls beside it under the same name; restore or remake the shard");
        var images = new Dictionary<string, (long Offset, int Length)>(StringComparer.Ordinal);
        var labels = new Dictionary<string, int>(StringComparer.Ordinal);
        var order = new List<string>();
        try
        {
            using var stream = File.OpenRead(path);
            using var tar = new TarReader(stream);
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) continue;
                // WebDataset: the key ends at the first point of the file's name
                int slash = entry.Name.LastIndexOf('/'), point = entry.Name.IndexOf('.', slash + 1);
                if (point < 0) continue;
                string key = entry.Name[..point], kind = entry.Name[(point + 1)..].ToLowerInvariant();
                if (kind == "cls")
                {
                    if (entry.Length is 0 or > 16) throw Bad($"{entry.Name} has {entry.Length} bytes, a label is a decimal number");
                    using var text = new StreamReader(entry.DataStream!);
                    if (!int.TryParse(text.ReadToEnd().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int label)) throw Bad($"{entry.Name} is not a decimal number");
                    if (!labels.TryAdd(key, label)) throw Bad($"{entry.Name} appears twice");
                }
                else if (kind is "jpg" or "jpeg" or "png")
                {
                    if (entry.Length > int.MaxValue || entry.DataOffset + entry.Length > stream.Length) throw Bad($"{entry.Name} claims {entry.Length} bytes, more than the shard has");
                    if (!images.TryAdd(key, (entry.DataOffset, (int)entry.Length))) throw Bad($"{key} has two images");
                    order.Add(key);
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or IOException or OverflowException)
        {
            throw Bad($"it cannot be read as a tar file ({e.Message})");
        }
        foreach (string key in order)
            places.Add(labels.TryGetValue(key, out int label) ? new ImagePlace(shard, images[key].Offset, images[key].Length, label) : throw Bad($"{key} has no label"));
    }

    public void Dispose()
    {
        foreach (var file in open.Values) file.Dispose();
        open.Clear();
    }
}
