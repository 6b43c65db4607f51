using System.Numerics;
using LutNative.Harness.Errors;
using LutNative.Results;
using Parquet;
using Parquet.Schema;

namespace LutNative.Harness.Images;

/// <summary>
/// Hugging Face's image shards: Parquet files in the order of their names with a column image.bytes (encoded images)
/// and an integer column label. A row group is read whole and the last few are kept, so reading in the shards' order is
/// cheap and reading in a drawn order is not: turn such a set into tar shards or folders for training.
/// </summary>
public sealed class ParquetShards : IContainer
{
    private const int KeptGroups = 4;
    private readonly string root;

    // of each row group, and one past the end
    private readonly Dictionary<string, int[]> firstRows = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Shard, int Group, byte[][] Images)> kept = [];
    private readonly Lock reading = new();

    public ParquetShards(string root, IReadOnlyList<string> shards)
    {
        this.root = root;
        var places = new List<ImagePlace>();
        foreach (string shard in shards)
            Walk(shard, places).GetAwaiter().GetResult();
        Places = places;
    }

    public string Kind => "parquet shards";
    public IReadOnlyList<ImagePlace> Places { get; }
    public IReadOnlyList<string>? Classes => null;
    public IReadOnlyList<string> Notes => [];
    public bool InOrder => true;

    public byte[] Read(in ImagePlace place)
    {
        int[] rows = firstRows[place.Place];
        int row = (int)place.Offset;
        int group = Array.FindLastIndex(rows, r => r <= row);
        string shard = place.Place;
        lock (reading)
        {
            for (var node = kept.First; node is not null; node = node.Next)
                if (node.Value.Shard == shard && node.Value.Group == group)
                {
                    kept.Remove(node);
                    kept.AddFirst(node);
                    return node.Value.Images[row - rows[group]];
                }
            byte[][] images = Reread(shard, group);
            kept.AddFirst((shard, group, images));
            if (kept.Count > KeptGroups)
                kept.RemoveLast();
            return images[row - rows[group]];
        }
    }

    private byte[][] Reread(string shard, int group)
    {
        try
        {
            return Images(shard, group).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (LutError or IOException or OutOfMemoryException))
        {
            // the shard was whole when it was walked: it changed, and ends in any of the reader's exceptions
            throw new IOException(
                $"{Shown.Name(shard)} cannot be read as Parquet any more ({e.GetType().Name}: {e.Message})",
                e
            );
        }
    }

    private LutError Bad(string shard, string why) => DataSetErrors.NoParquetShard(shard, root, why);

    private async Task Walk(string shard, List<ImagePlace> places)
    {
        try
        {
            using var stream = CheckedParquet.Open(Path.Combine(root, shard), MostUnpacked(shard));
            await using var reader = await ParquetReader.CreateAsync(stream);
            var (images, label) = Fields(reader, shard);
            var rows = new List<int> { 0 };
            for (int g = 0; g < reader.RowGroupCount; g++)
            {
                using var group = reader.OpenRowGroupReader(g);
                byte[][] bytes = await Bytes(group, images, shard);
                int[] labels = await Labels(group, label, shard);
                if (labels.Length != bytes.Length)
                    throw Bad(shard, $"row group {g} has {bytes.Length} images and {labels.Length} labels");
                for (int i = 0; i < bytes.Length; i++)
                    places.Add(new ImagePlace(shard, rows[^1] + i, bytes[i].Length, labels[i]));
                rows.Add(rows[^1] + bytes.Length);
            }
            rows.RemoveAt(rows.Count - 1);
            firstRows.Add(shard, [.. rows]);
        }
        catch (Exception e) when (e is not (LutError or OutOfMemoryException))
        {
            // a damaged file ends in any of the reader's exceptions
            throw Bad(shard, $"it cannot be read as Parquet ({e.GetType().Name}: {e.Message})");
        }
    }

    /// <summary>
    /// Bytes that a shard's pages may take: images are packed already, so what unpacks to much more is a bomb.
    /// </summary>
    private long MostUnpacked(string shard) => (64L << 20) + 16 * new FileInfo(Path.Combine(root, shard)).Length;

    private async Task<byte[][]> Images(string shard, int g)
    {
        using var stream = CheckedParquet.Open(Path.Combine(root, shard), MostUnpacked(shard), pages: false);
        await using var reader = await ParquetReader.CreateAsync(stream);
        using var group = reader.OpenRowGroupReader(g);
        return await Bytes(group, Fields(reader, shard).Images, shard);
    }

    private (DataField Images, DataField Label) Fields(ParquetReader reader, string shard)
    {
        var fields = reader.Schema.GetDataFields();
        var images =
            fields.FirstOrDefault(f => f.Path.ToList() is ["image", "bytes"])
            ?? throw Bad(shard, $"its columns are {string.Join(", ", fields.Select(f => f.Path))}");
        return (
            images,
            fields.FirstOrDefault(f => f.Path.ToList() is ["label"]) ?? throw Bad(shard, "it has no column label")
        );
    }

    private async Task<byte[][]> Bytes(ParquetRowGroupReader group, DataField field, string shard)
    {
        byte[]?[] images = new byte[]?[Rows(group, shard)];
        await group.ReadAsync(field, images.AsMemory());
        return [.. images.Select((b, i) => b ?? throw Bad(shard, $"image {i} of a row group is null"))];
    }

    /// <summary>Labels of any integer type, with or without room for null (and no null in it).</summary>
    private Task<int[]> Labels(ParquetRowGroupReader group, DataField field, string shard) =>
        Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.SByte => Labels<sbyte>(group, field, shard),
            TypeCode.Byte => Labels<byte>(group, field, shard),
            TypeCode.Int16 => Labels<short>(group, field, shard),
            TypeCode.UInt16 => Labels<ushort>(group, field, shard),
            TypeCode.Int32 => Labels<int>(group, field, shard),
            TypeCode.UInt32 => Labels<uint>(group, field, shard),
            TypeCode.Int64 => Labels<long>(group, field, shard),
            TypeCode.UInt64 => Labels<ulong>(group, field, shard),
            _ => throw Bad(shard, $"its labels are {field.ClrType.Name}, not integers"),
        };

    private async Task<int[]> Labels<T>(ParquetRowGroupReader group, DataField field, string shard)
        where T : struct, IBinaryInteger<T>
    {
        var labels = new T?[Rows(group, shard)];
        if (field.IsNullable)
            await group.ReadAsync<T>(field, labels.AsMemory());
        else
        {
            var plain = new T[labels.Length];
            await group.ReadAsync<T>(field, plain.AsMemory());
            labels = [.. plain];
        }
        var most = T.CreateSaturating(int.MaxValue);
        return
        [
            .. labels.Select(
                (l, i) =>
                    l is { } n && n >= T.Zero && n <= most
                        ? int.CreateChecked(n)
                        : throw Bad(shard, $"label {i} of a row group is {(l is null ? "null" : l)}")
            ),
        ];
    }

    /// <summary>A row takes at least a byte of the file, so a claim beyond that is damage.</summary>
    private int Rows(ParquetRowGroupReader group, string shard) =>
        group.RowCount >= 0 && group.RowCount <= new FileInfo(Path.Combine(root, shard)).Length
            ? (int)group.RowCount
            : throw Bad(shard, $"a row group claims {group.RowCount} rows");
}
