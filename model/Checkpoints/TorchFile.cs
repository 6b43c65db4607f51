using System.Globalization;
using System.Text;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// A file of torch.save (since PyTorch 1.6): a zip of data.pkl and raw storages. Read without PyTorch and without
/// running anything (<see cref="Pickle"/>); every size is held against the bytes that are there, and tensors stay in
/// the file.
/// </summary>
public static class TorchFile
{
    private const int MostDepth = 16;
    private const int MostName = 512;
    private const int MostTensors = 200_000;

    /// <summary>The pickle of a state of ten thousand tensors has about two million bytes.</summary>
    private const long MostPickle = 32L << 20;

    /// <summary>
    /// Every tensor of the file by its path: "model.blocks.0.attn.qkv.weight", "optimizer.state.0.exp_avg", ...
    /// </summary>
    /// <exception cref="CheckpointException">Not such a file, or damaged.</exception>
    public static TensorFile Open(string path)
    {
        var file = TensorFile.Open(path);
        try
        {
            Read(file);
            return file;
        }
        catch (Exception e)
        {
            file.Dispose();
            if (
                e
                is InvalidDataException
                    or OverflowException
                    or InvalidCastException
                    or IndexOutOfRangeException
                    or ArgumentException
            )
                throw new CheckpointException($"{path} is not a PyTorch checkpoint: {e.Message}");
            throw;
        }
    }

    private static void Read(TensorFile file)
    {
        if (file.Length < 4)
            throw new InvalidDataException("it has fewer than 4 bytes");
        if (GitLfs.IsPointer(file))
            throw GitLfs.Refusal(file);
        byte[] begin = file.Bytes(0, 4);
        if (!begin.AsSpan().SequenceEqual("PK\x03\x04"u8))
            throw new InvalidDataException(
                begin[0] == 0x80
                    ? "it is in the format from before PyTorch 1.6; write it again with "
                        + "torch.save(torch.load(FILE), FILE)"
                    : "it does not begin as a zip file"
            );
        var zip = new StoredZip(file);
        string pickle =
            zip.Names.FirstOrDefault(n => n.EndsWith("/data.pkl", StringComparison.Ordinal) || n == "data.pkl")
            ?? throw new InvalidDataException("it has no data.pkl");
        string root = pickle[..^"data.pkl".Length];
        if (
            zip.Find(root + "byteorder") is { Bytes: < 16 } order
            && Encoding.ASCII.GetString(file.Bytes(order.Offset, order.Bytes)).Trim() != "little"
        )
            throw new InvalidDataException("it was written on a big-endian machine");
        var (offset, length) = zip.Find(pickle)!.Value;
        if (length > MostPickle)
            throw new InvalidDataException(
                FormattableString.Invariant(
                    $"its pickle has {length} bytes, and {MostPickle} are the most that is read"
                )
            );
        object? top = Pickle.Read(file.Bytes(offset, length), file.Path, out var opaque);
        file.Beside = [.. opaque];
        // what is not shared takes at least a byte of the pickle, so a walk that visits more goes round in circles
        new Walk(
            file,
            key => zip.Find($"{root}data/{key}") ?? throw new InvalidDataException($"storage {key} is missing"),
            length
        ).Into(top, "", 0);
    }

    /// <summary>Goes through dictionaries and lists; a cycle ends at the depth that no checkpoint reaches.</summary>
    private sealed class Walk(TensorFile file, Func<string, (long Offset, long Bytes)> storage, long visits)
    {
        internal void Into(object? o, string name, int depth)
        {
            if (depth > MostDepth)
                return;
            if (visits-- <= 0)
                throw new InvalidDataException("its objects refer to each other without end");
            switch (o)
            {
                case PickleObject { Type.Name: "_rebuild_tensor_v2" or "_rebuild_tensor_v3" } tensor:
                    Add(name, Tensor(name, tensor));
                    break;
                case PickleOpaque { HoldsTensor: true } made:
                    Add(name, new FileTensor(file, name, made.Type.ToString(), [], 0, 0));
                    break;
                case Dictionary<object, object?> d:
                    foreach (var (key, value) in d)
                        if (value is not null)
                            Into(value, Under(name, Convert.ToString(key, CultureInfo.InvariantCulture)!), depth + 1);
                    break;
                case List<object?> list:
                    for (int i = 0; i < list.Count; i++)
                        Into(list[i], Under(name, i.ToString(CultureInfo.InvariantCulture)), depth + 1);
                    break;
            }
        }

        private static string Under(string name, string key)
        {
            if (name.Length + key.Length > MostName)
                throw new InvalidDataException(
                    $"a name of more than {MostName} characters, {(name + "." + key)[..40]}..."
                );
            return name.Length == 0 ? key : name + "." + key;
        }

        private void Add(string name, FileTensor tensor)
        {
            if (!file.Add(tensor))
                throw new InvalidDataException($"tensor {name} appears twice");
            if (file.Tensors.Count > MostTensors)
                throw new InvalidDataException($"it has more than {MostTensors} tensors");
        }

        /// <summary>
        /// _rebuild_tensor_v2(storage, storage_offset, size, stride, ...), storage = ("storage", class, key, location,
        /// elements); v3 has the element type as its seventh.
        /// </summary>
        private FileTensor Tensor(string name, PickleObject o)
        {
            object?[] a = o.Arguments;
            object?[] id = As<object?[]>(As<PicklePersistent>(a[0]).Id);
            string type = TypeOf(As<PickleGlobal>(o.Type.Name == "_rebuild_tensor_v3" ? a[6] : id[1]).Name);
            var (begin, bytes) = storage(As<string>(id[2]));
            long offset = As<long>(a[1]);
            long[] size = Extents(a[2]);
            long[] stride = Extents(a[3]);
            if (offset < 0 || size.Length != stride.Length || size.Any(n => n < 0) || stride.Any(n => n < 0))
                throw new InvalidDataException($"tensor {name} has a negative extent");
            long count = 1;
            long last = offset;
            long width = ElementType.WidthOf(type) ?? 1;
            for (int i = 0; i < size.Length; i++)
            {
                count = checked(count * size[i]);
                last = checked(last + Math.Max(0, size[i] - 1) * stride[i]);
            }
            // no element may lie outside; a stride of 0 may repeat some, which matters to nobody who does not want them
            if (count > 0 && checked((last + 1) * width) > bytes)
                throw new InvalidDataException(
                    FormattableString.Invariant($"tensor {name} claims {count} elements of a storage of {bytes} bytes")
                );
            return new FileTensor(
                file,
                name,
                type,
                size,
                begin + offset * width,
                checked(count * width),
                Contiguous(size, stride) ? null : stride
            );
        }

        private static T As<T>(object? o) =>
            o is T t
                ? t
                : throw new InvalidCastException(
                    $"a tensor is described by {o?.GetType().Name ?? "nothing"} where {typeof(T).Name} is needed"
                );

        private static long[] Extents(object? o) =>
            [.. As<object?[]>(o is PickleObject { Type.Name: "Size" } s ? s.Arguments[0] : o).Select(As<long>)];

        private static bool Contiguous(long[] size, long[] stride)
        {
            if (size.Contains(0))
                return true;
            long expected = 1;
            for (int i = size.Length - 1; i >= 0; i--)
            {
                if (size[i] > 1 && stride[i] != expected)
                    return false;
                expected *= size[i];
            }
            return true;
        }

        private static string TypeOf(string torch) =>
            torch switch
            {
                "FloatStorage" => "F32",
                "DoubleStorage" => "F64",
                "HalfStorage" => "F16",
                "BFloat16Storage" => "BF16",
                "float8_e4m3fn" => "F8_E4M3",
                "float8_e5m2" => "F8_E5M2",
                "LongStorage" => "I64",
                "IntStorage" => "I32",
                "ShortStorage" => "I16",
                "CharStorage" => "I8",
                "ByteStorage" => "U8",
                "BoolStorage" => "BOOL",
                "uint64" => "U64",
                "uint32" => "U32",
                "uint16" => "U16",
                "ComplexFloatStorage" => "C64",
                _ => torch,
            };
    }
}
