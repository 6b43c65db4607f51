using System.Buffers.Binary;
using System.Text.Json;

namespace LutNative.Model.Checkpoints;

/// <summary>What the header of a safetensors file says of one tensor.</summary>
public sealed record SafetensorsEntry(string Name, string Type, IReadOnlyList<long> Shape, long Bytes);

/// <summary>
/// The safetensors format: 8 bytes little-endian header length N, N bytes of JSON {name: {dtype, shape, data_offsets},
/// "__metadata__": {..}}, then the data. Every invariant is checked before a tensor is handed out: sizes are never
/// trusted, offsets must tile the data exactly.
/// </summary>
public static class Safetensors
{
    /// <summary>
    /// A network of a hundred thousand tensors needs less; what parses it takes about ten times as much memory.
    /// </summary>
    private const long MostHeader = 16L << 20;

    /// <summary>Reads the header; tensors stay in the file.</summary>
    /// <exception cref="CheckpointException">Not such a file, or one that breaks a rule of the format.</exception>
    public static TensorFile Open(string path)
    {
        var file = TensorFile.Open(path);
        try
        {
            ReadHeader(file);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>All tensors at once, for small files.</summary>
    public static (Dictionary<string, SafeTensor> Tensors, Dictionary<string, string> Metadata) Read(string path)
    {
        using var file = Open(path);
        var tensors = new Dictionary<string, SafeTensor>();
        foreach (var t in file.Tensors.Values)
            tensors.Add(t.Name, new SafeTensor(t.Name, t.Type, [.. t.Shape], file.Bytes(t.Offset, t.Bytes)));
        return (tensors, file.Metadata);
    }

    /// <summary>Writes small tensors in the given order; the stream is neither flushed nor closed.</summary>
    public static void Write(Stream to, IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        to.Write(
            Header([.. tensors.Select(t => new SafetensorsEntry(t.Name, t.DType, t.Shape, t.Bytes.Length))], metadata)
        );
        foreach (var t in tensors)
            to.Write(t.Bytes.Span);
    }

    /// <summary>
    /// Everything that precedes the data of tensors in the given order: the data begins on a multiple of 8 bytes.
    /// </summary>
    public static byte[] Header(IReadOnlyList<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var header = new MemoryStream();
        header.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (k, v) in metadata)
                json.WriteString(k, v);
            json.WriteEndObject();
            long at = 0;
            foreach (var t in tensors)
            {
                json.WriteStartObject(t.Name);
                json.WriteString("dtype", t.Type);
                json.WriteStartArray("shape");
                foreach (long n in t.Shape)
                    json.WriteNumberValue(n);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += t.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        byte[] all = header.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(all, all.Length - 8);
        return all;
    }

    private static void ReadHeader(TensorFile file)
    {
        CheckpointException Bad(string why) =>
            new(
                $"{file.Path} is not a valid safetensors file: {why}; it may be truncated or damaged, use another copy"
            );
        if (GitLfs.IsPointer(file))
            throw GitLfs.Refusal(file);
        if (file.Length < 8)
            throw Bad($"it has {file.Length} bytes, fewer than the 8 of the header length");
        ulong declared = BinaryPrimitives.ReadUInt64LittleEndian(file.Bytes(0, 8));
        if (declared > (ulong)(file.Length - 8))
            throw Bad($"it declares a header of {declared} bytes in a file of {file.Length}");
        if (declared > MostHeader)
            throw Bad($"it declares a header of {declared} bytes, and {MostHeader} are the most that is read");
        long start = 8 + (long)declared;
        long data = file.Length - start;
        var spans = new List<(long Begin, long End)>();
        try
        {
            using var json = JsonDocument.Parse(file.Bytes(8, (long)declared));
            foreach (var item in json.RootElement.EnumerateObject())
            {
                if (item.Name == "__metadata__")
                {
                    foreach (var m in item.Value.EnumerateObject())
                        file.Metadata[m.Name] = m.Value.GetString() ?? "";
                    continue;
                }
                string type = item.Value.GetProperty("dtype").GetString() ?? "";
                long[] shape = [.. item.Value.GetProperty("shape").EnumerateArray().Select(x => x.GetInt64())];
                long[] offsets = [.. item.Value.GetProperty("data_offsets").EnumerateArray().Select(x => x.GetInt64())];
                if (shape.Any(n => n < 0) || offsets.Length != 2)
                    throw Bad($"tensor {item.Name} has a negative extent or no offsets");
                long count = 1;
                foreach (long n in shape)
                    count = checked(count * n);
                if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > data)
                    throw Bad($"tensor {item.Name} lies at [{offsets[0]}, {offsets[1]}) of {data} data bytes");
                // a type that nobody knows here has a width that nobody knows
                if (ElementType.WidthOf(type) is { } width && offsets[1] - offsets[0] != checked(count * width))
                    throw Bad($"tensor {item.Name} of {count} {type} has {offsets[1] - offsets[0]} bytes");
                spans.Add((offsets[0], offsets[1]));
                if (
                    !file.Add(new FileTensor(file, item.Name, type, shape, start + offsets[0], offsets[1] - offsets[0]))
                )
                    throw Bad($"tensor {item.Name} appears twice");
            }
        }
        catch (Exception e)
            when (e
                    is JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or OverflowException
            )
        {
            throw Bad($"its header is not the expected JSON ({e.Message})");
        }
        long end = 0;
        foreach (var (begin, stop) in spans.OrderBy(s => s.Begin).ThenBy(s => s.End))
        {
            if (begin != end)
                throw Bad($"its tensors leave a gap or overlap at byte {end}");
            end = stop;
        }
        if (end != data)
            throw Bad($"its tensors cover {end} of {data} data bytes");
    }
}
