using System.Collections.Concurrent;
using System.Globalization;
using LutNative.Harness.Errors;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Harness.Images;

/// <summary>
/// WebDataset shards: tar files in the order of their names; an image KEY.jpg (jpeg, png) and its label KEY.cls, a
/// decimal number. WebDataset's rule: the key ends at the first point of the file's name, what follows is the
/// extension. Every image is taken or refused by name; what else lies in a shard is counted and told. Shards are walked
/// once for places; images are then read where they lie.
/// </summary>
public sealed class TarShards : IContainer, IDisposable
{
    private const string Label = "cls";
    private const int LongestLabel = 16;
    private static readonly string[] Taken = ["jpg", "jpeg", "png"];
    private static readonly string[] Images =
    [
        .. Taken,
        "webp",
        "bmp",
        "gif",
        "tif",
        "tiff",
        "ppm",
        "pgm",
        "pbm",
        "jp2",
        "avif",
        "heic",
    ];
    private readonly string root;
    private readonly ConcurrentDictionary<string, SafeFileHandle> open = new(StringComparer.Ordinal);

    /// <exception cref="LutError">A shard that is no tar file, an image that is not read, a label or an image without
    /// the other.</exception>
    public TarShards(string root, IReadOnlyList<string> shards)
    {
        this.root = root;
        var places = new List<ImagePlace>();
        var notes = new List<string>();
        var unused = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (string shard in shards)
        {
            int before = places.Count;
            Walk(shard, places, unused);
            if (places.Count == before)
                notes.Add($"{Shown.Name(shard)} has no image");
        }
        if (unused.Count > 0)
        {
            var kinds = unused.Select(u =>
                $"{u.Value} x {(u.Key.Length == 0 ? "a name without extension" : "." + u.Key)}"
            );
            notes.Add("not used: " + string.Join(", ", kinds));
        }
        Places = places;
        Notes = notes;
    }

    public string Kind => "tar shards";
    public IReadOnlyList<ImagePlace> Places { get; }
    public IReadOnlyList<string>? Classes => null;
    public IReadOnlyList<string> Notes { get; }

    public bool InOrder => false;

    public byte[] Read(in ImagePlace place)
    {
        var file = open.GetOrAdd(place.Place, (name, r) => Handle(Path.Combine(r, name)), root);
        if (place.Offset + place.Length > RandomAccess.GetLength(file))
            throw new IOException($"{Shown.Name(place.Place)} ends before an image that its index names");
        byte[] bytes = new byte[place.Length];
        for (int done = 0, n; done < bytes.Length; done += n)
            if ((n = RandomAccess.Read(file, bytes.AsSpan(done), place.Offset + done)) == 0)
                throw new IOException($"{Shown.Name(place.Place)} is truncated");
        return bytes;
    }

    public void Dispose()
    {
        foreach (var file in open.Values)
            file.Dispose();
        open.Clear();
    }

    private static SafeFileHandle Handle(string path) =>
        FileKind.Of(path).Type is var type and not FileType.File
            ? throw new IOException($"{Shown.Name(path)} is {FileKind.Word(type)}, not a file")
            : File.OpenHandle(path);

    private LutError Bad(string shard, string why) => DataSetErrors.NoTarShard(shard, root, why);

    private void Walk(string shard, List<ImagePlace> places, SortedDictionary<string, int> unused)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var images = new Dictionary<string, TarEntry>(StringComparer.Ordinal);
        var labels = new Dictionary<string, int>(StringComparer.Ordinal);
        var order = new List<string>();
        try
        {
            using var stream = FileKind.Open(Path.Combine(root, shard));
            foreach (var entry in new TarFile(stream).Files())
            {
                if (!names.Add(entry.Name))
                    throw Bad(shard, $"{Shown.Name(entry.Name)} appears twice");
                int point = entry.Name.IndexOf('.', entry.Name.LastIndexOf('/') + 1);
                string key = point < 0 ? entry.Name : entry.Name[..point];
                string kind = point < 0 ? "" : entry.Name[(point + 1)..].ToLowerInvariant();
                string last = kind[(kind.LastIndexOf('.') + 1)..];
                if (kind == Label)
                {
                    if (!labels.TryAdd(key, Number(shard, entry, stream)))
                        throw Bad(shard, $"{Shown.Name(key)} has two labels");
                }
                else if (last == Label || Images.Contains(last))
                {
                    Refuse(shard, entry.Name, key, kind);
                    if (entry.Length > int.MaxValue)
                        throw Bad(shard, $"{Shown.Name(entry.Name)} has {entry.Length} bytes, too many for an image");
                    if (!images.TryAdd(key, entry))
                        throw Bad(
                            shard,
                            $"{Shown.Name(key)} has two images, {Shown.Name(images[key].Name)} and "
                                + $"{Shown.Name(entry.Name)}: one key has one image"
                        );
                    order.Add(key);
                }
                else
                    unused[Shown.Name(last)] = unused.GetValueOrDefault(Shown.Name(last)) + 1;
            }
        }
        catch (TarException e)
        {
            throw Bad(shard, e.Message);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw DataSetErrors.UnreadableShard(shard, root, e.Message);
        }
        foreach (string key in order)
        {
            if (!labels.Remove(key, out int label))
                throw Bad(shard, $"{Shown.Name(images[key].Name)} has no label {Shown.Name(key)}.{Label}");
            places.Add(new ImagePlace(shard, images[key].Offset, (int)images[key].Length, label));
        }
        if (labels.Count > 0)
            throw Bad(
                shard,
                $"{Shown.Name(labels.Keys.First())}.{Label} is a label without an image ({labels.Count} such)"
            );
    }

    /// <summary>Refuses an entry that looks like an image or a label and is not taken as one.</summary>
    private void Refuse(string shard, string name, string key, string kind)
    {
        string file = name[(name.LastIndexOf('/') + 1)..];
        if (file.StartsWith("._", StringComparison.Ordinal))
            throw Bad(
                shard,
                $"{Shown.Name(name)} is no image but what macOS's tar adds beside one: make the shard with "
                    + $"COPYFILE_DISABLE=1"
            );
        if (file[0] == '.')
            throw Bad(shard, $"{Shown.Name(name)} has no key: its file's name begins with a point");
        if (kind.Contains('.', StringComparison.Ordinal))
            throw Bad(
                shard,
                $"{Shown.Name(name)} has the key {Shown.Name(key[(key.LastIndexOf('/') + 1)..])} and the extension "
                    + $"{Shown.Name(kind)}: a key ends at the first point of the file's name"
            );
        if (!Taken.Contains(kind))
            throw Bad(
                shard,
                $"{Shown.Name(name)} is an image of a kind that is not read ({Shown.Name(kind)}): convert "
                    + "it to JPEG or PNG"
            );
    }

    private int Number(string shard, TarEntry entry, Stream stream)
    {
        if (entry.Length is 0 or > LongestLabel)
            throw Bad(shard, $"{Shown.Name(entry.Name)} has {entry.Length} bytes, a label is a decimal number");
        Span<byte> bytes = stackalloc byte[(int)entry.Length];
        stream.Position = entry.Offset;
        stream.ReadExactly(bytes);
        return int.TryParse(bytes.Trim(" \t\r\n"u8), NumberStyles.None, CultureInfo.InvariantCulture, out int label)
            ? label
            : throw Bad(shard, $"{Shown.Name(entry.Name)} is not a decimal number");
    }
}
