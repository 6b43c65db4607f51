using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// A file of torch.save (since PyTorch 1.6): a zip of data.pkl and raw storages. Read without PyTorch and without running anything (<see cref="Pickle"/>); every size is
/// held against the bytes that are there. Tensors come out as binary32 or int64, contiguous.
/// </summary>
public static class TorchFile
{
    private const int MostDepth = 16;

    /// <summary>Every tensor of the file by its path: "model.blocks.0.attn.qkv.weight", "optimizer.state.0.exp_avg", ...</summary>
    /// <exception cref="CheckpointException">Not such a file, damaged, or one that names a class which checkpoints do not hold.</exception>
    public static Dictionary<string, SafeTensor> Read(string path)
    {
        CheckpointException Bad(string why) => new($"{path} is not a PyTorch checkpoint: {why}");
        try
        {
            using var stream = File.OpenRead(path);
            Span<byte> begin = stackalloc byte[4];
            if (stream.ReadAtLeast(begin, 4, throwOnEndOfStream: false) < 4) throw Bad("it has fewer than 4 bytes");
            stream.Position = 0;
            if (!begin.SequenceEqual("PK\x03\x04"u8)) throw Bad(begin[0] == 0x80 ? "it is in the format from before PyTorch 1.6; write it again with torch.save(torch.load(FILE), FILE)" : "it does not begin as a zip file");
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
            var pickle = zip.Entries.FirstOrDefault(e => e.FullName.EndsWith("/data.pkl", StringComparison.Ordinal) || e.FullName == "data.pkl") ?? throw Bad("it has no data.pkl");
            string root = pickle.FullName[..^"data.pkl".Length];
            if (zip.GetEntry(root + "byteorder") is { } order && System.Text.Encoding.ASCII.GetString(Bytes(order, stream.Length)).Trim() != "little") throw Bad("it was written on a big-endian machine");
            var tensors = new Dictionary<string, SafeTensor>(StringComparer.Ordinal);
            var storages = new Dictionary<string, byte[]>(StringComparer.Ordinal);
            byte[] bytes = Bytes(pickle, stream.Length);
            // what is not shared takes at least a byte of the pickle, so a walk that visits more goes round in circles
            long visits = bytes.Length;
            Collect(Pickle.Read(bytes, path), "", 0, ref visits, (name, o) =>
            {
                if (!tensors.TryAdd(name, Tensor(name, o, key => storages.TryGetValue(key, out byte[]? known) ? known : storages[key] = Bytes(zip.GetEntry($"{root}data/{key}") ?? throw Bad($"storage {key} is missing"), stream.Length)))) throw Bad($"tensor {name} appears twice");
            });
            return tensors;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or NotSupportedException or OverflowException or InvalidCastException or IndexOutOfRangeException or ArgumentException)
        {
            throw Bad(e.Message);
        }
    }

    /// <summary>torch.save stores, it does not compress: an entry that unpacks to more than it takes is no checkpoint's.</summary>
    private static byte[] Bytes(ZipArchiveEntry entry, long file)
    {
        if (entry.Length != entry.CompressedLength || entry.Length > file) throw new InvalidDataException(FormattableString.Invariant($"{entry.FullName} is compressed or claims {entry.Length} bytes of a file of {file}"));
        byte[] bytes = new byte[entry.Length];
        using var from = entry.Open();
        from.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Walks dictionaries, lists and objects; a cycle ends at the depth that no checkpoint reaches.</summary>
    private static void Collect(object? o, string name, int depth, ref long visits, Action<string, PickleObject> found)
    {
        if (depth > MostDepth) return;
        if (visits-- <= 0) throw new InvalidDataException("its objects refer to each other without end");
        string Under(string key) => name.Length == 0 ? key : name + "." + key;
        switch (o)
        {
            case PickleObject { Type.Name: "_rebuild_tensor_v2" } tensor: found(name, tensor); break;
            case PickleObject other: if (other.State is Dictionary<object, object?> state && other.Type.Name != "Namespace") Collect(state, name, depth + 1, ref visits, found); break;
            case Dictionary<object, object?> d:
                foreach (var (key, value) in d) Collect(value, Under(Convert.ToString(key, CultureInfo.InvariantCulture)!), depth + 1, ref visits, found);
                break;
            case List<object?> list:
                for (int i = 0; i < list.Count; i++) Collect(list[i], Under(i.ToString(CultureInfo.InvariantCulture)), depth + 1, ref visits, found);
                break;
        }
    }

    /// <summary>_rebuild_tensor_v2(storage, storage_offset, size, stride, ...), storage = ("storage", class, key, location, elements).</summary>
    private static SafeTensor Tensor(string name, PickleObject o, Func<string, byte[]> storage)
    {
        object?[] a = o.Arguments, id = (object?[])((PicklePersistent)a[0]!).Id!;
        string type = ((PickleGlobal)id[1]!).Name;
        byte[] bytes = storage((string)id[2]!);
        long offset = (long)a[1]!;
        long[] size = [.. ((object?[])a[2]!).Select(n => (long)n!)], stride = [.. ((object?[])a[3]!).Select(n => (long)n!)];
        int width = type switch { "FloatStorage" or "IntStorage" => 4, "DoubleStorage" or "LongStorage" => 8, "HalfStorage" or "BFloat16Storage" or "ShortStorage" => 2, _ => 1 };
        if (offset < 0 || size.Length != stride.Length || size.Any(n => n < 0) || stride.Any(n => n < 0)) throw new InvalidDataException($"tensor {name} has a negative extent");
        long count = 1, last = offset;
        for (int i = 0; i < size.Length; i++)
        {
            count = checked(count * size[i]);
            last = checked(last + Math.Max(0, size[i] - 1) * stride[i]);
        }
        // no element may lie outside, and a stride of 0 must not blow a small storage up
        if (count > 0 && (checked((last + 1) * width) > bytes.Length || count > bytes.Length)) throw new InvalidDataException(FormattableString.Invariant($"tensor {name} claims {count} elements of a storage of {bytes.Length} bytes"));
        bool whole = type is "LongStorage" or "IntStorage" or "ShortStorage" or "CharStorage" or "ByteStorage" or "BoolStorage";
        byte[] values = new byte[count * (whole ? 8 : 4)];
        var floats = MemoryMarshal.Cast<byte, float>(values.AsSpan());
        var longs = MemoryMarshal.Cast<byte, long>(values.AsSpan());
        var index = new long[size.Length];
        for (long i = 0; i < count; i++)
        {
            long at = offset;
            for (int axis = 0; axis < size.Length; axis++) at += index[axis] * stride[axis];
            var from = bytes.AsSpan((int)(at * width), width);
            if (whole) longs[(int)i] = type switch { "LongStorage" => BitConverter.ToInt64(from), "IntStorage" => BitConverter.ToInt32(from), "ShortStorage" => BitConverter.ToInt16(from), "CharStorage" => (sbyte)from[0], _ => from[0] };
            else floats[(int)i] = type switch { "FloatStorage" => BitConverter.ToSingle(from), "DoubleStorage" => (float)BitConverter.ToDouble(from), "HalfStorage" => (float)BitConverter.ToHalf(from), _ => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(from) << 16) };
            for (int axis = size.Length - 1; axis >= 0 && ++index[axis] == size[axis]; axis--) index[axis] = 0;
        }
        return new SafeTensor(name, whole ? "I64" : "F32", size, values);
    }
}
