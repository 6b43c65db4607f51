using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace LutNative.Model.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
public sealed record SafeTensor(string Name, string DType, long[] Shape, ReadOnlyMemory<byte> Bytes)
{
    public long Count => Shape.Aggregate(1L, (a, b) => a * b);
    public ReadOnlySpan<float> Floats => DType == "F32" ? MemoryMarshal.Cast<byte, float>(Bytes.Span) : throw new CheckpointException($"tensor {Name} is {DType}, not F32");
    public ReadOnlySpan<long> Longs => DType == "I64" ? MemoryMarshal.Cast<byte, long>(Bytes.Span) : throw new CheckpointException($"tensor {Name} is {DType}, not I64");
}

/// <summary>
/// The safetensors format: 8 bytes little-endian header length N, N bytes of JSON {name: {dtype, shape, data_offsets}, "__metadata__": {..}},
/// then the data. Every invariant is checked before a tensor is handed out: sizes are never trusted, offsets must tile the data exactly.
/// </summary>
public static class Safetensors
{
    private const long MaxHeader = 100_000_000;
    private static readonly Dictionary<string, int> Sizes = new()
    {
        ["F32"] = 4, ["F64"] = 8, ["F16"] = 2, ["BF16"] = 2, ["I64"] = 8, ["I32"] = 4, ["I16"] = 2, ["I8"] = 1, ["U8"] = 1, ["BOOL"] = 1,
    };

    public static (Dictionary<string, SafeTensor> Tensors, Dictionary<string, string> Metadata) Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableCheckpointException(path, e);
        }
        CheckpointException Bad(string why) => new($"{path} is not a valid safetensors file: {why}; it may be truncated or damaged, use another copy");
        if (file.Length < 8) throw Bad($"it has {file.Length} bytes, fewer than the 8 of the header length");
        ulong declared = BinaryPrimitives.ReadUInt64LittleEndian(file);
        if (declared > MaxHeader || (long)declared + 8 > file.Length) throw Bad($"it declares a header of {declared} bytes in a file of {file.Length}");
        int start = 8 + (int)declared, data = file.Length - start;
        var tensors = new Dictionary<string, SafeTensor>();
        var metadata = new Dictionary<string, string>();
        var spans = new List<(long Begin, long End)>();
        try
        {
            using var json = JsonDocument.Parse(file.AsMemory(8, (int)declared));
            foreach (var item in json.RootElement.EnumerateObject())
            {
                if (item.Name == "__metadata__")
                {
                    foreach (var m in item.Value.EnumerateObject()) metadata[m.Name] = m.Value.GetString() ?? "";
                    continue;
                }
                string dtype = item.Value.GetProperty("dtype").GetString() ?? "";
                if (!Sizes.TryGetValue(dtype, out int size)) throw Bad($"tensor {item.Name} has the unknown dtype {dtype}");
                long[] shape = [.. item.Value.GetProperty("shape").EnumerateArray().Select(x => x.GetInt64())];
                long[] offsets = [.. item.Value.GetProperty("data_offsets").EnumerateArray().Select(x => x.GetInt64())];
                if (shape.Any(n => n < 0) || offsets.Length != 2) throw Bad($"tensor {item.Name} has a negative extent or no offsets");
                long count = 1;
                foreach (long n in shape) count = checked(count * n);
                if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > data) throw Bad($"tensor {item.Name} lies at [{offsets[0]}, {offsets[1]}) of {data} data bytes");
                if (offsets[1] - offsets[0] != checked(count * size)) throw Bad($"tensor {item.Name} of {count} {dtype} has {offsets[1] - offsets[0]} bytes");
                spans.Add((offsets[0], offsets[1]));
                if (!tensors.TryAdd(item.Name, new SafeTensor(item.Name, dtype, shape, file.AsMemory(start + (int)offsets[0], (int)(offsets[1] - offsets[0])))))
                    throw Bad($"tensor {item.Name} appears twice");
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw Bad($"its header is not the expected JSON ({e.Message})");
        }
        long end = 0;
        foreach (var (begin, stop) in spans.OrderBy(s => s.Begin).ThenBy(s => s.End))
        {
            if (begin != end) throw Bad($"its tensors leave a gap or overlap at byte {end}");
            end = stop;
        }
        if (end != data) throw Bad($"its tensors cover {end} of {data} data bytes");
        return (tensors, metadata);
    }

    /// <summary>Writes tensors in the given order; the stream is neither flushed nor closed.</summary>
    public static void Write(Stream to, IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (k, v) in metadata) json.WriteString(k, v);
            json.WriteEndObject();
            long at = 0;
            foreach (var t in tensors)
            {
                json.WriteStartObject(t.Name);
                json.WriteString("dtype", t.DType);
                json.WriteStartArray("shape");
                foreach (long n in t.Shape) json.WriteNumberValue(n);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += t.Bytes.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0) header.Write(Encoding.ASCII.GetBytes(" "));
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        to.Write(length);
        header.WriteTo(to);
        foreach (var t in tensors) to.Write(t.Bytes.Span);
    }
}
